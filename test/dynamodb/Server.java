import com.amazonaws.services.dynamodbv2.local.server.LocalDynamoDBRequestHandler;
import com.amazonaws.services.dynamodbv2.local.server.LocalDynamoDBServerHandler;
import java.net.InetSocketAddress;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * DynamoDB Local in memory, on a free port of the loopback address, which it prints. Its own command line listens on
 * every interface.
 */
class Main {
  public static void main(String[] args) throws Exception {
    Server server = new Server(new InetSocketAddress("127.0.0.1", 0));
    var engine = new LocalDynamoDBRequestHandler(0, true, null, true, false);
    server.setHandler(new LocalDynamoDBServerHandler(engine, "*"));
    server.start();
    System.out.println("port " + ((ServerConnector) server.getConnectors()[0]).getLocalPort());
    // Ends with the process that started it.
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
