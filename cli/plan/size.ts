/**
 * Bytes that a run writes to CloudWatch Logs: the START, END and REPORT lines of Lambda (as text), and the metrics of
 * each function. `step`: what the log says of a message with `detailedLog`. `access`: the line of the HTTP stage for one
 * request; the WebSocket stage has no access log. A test holds these to what the functions print.
 */
export const LOG = { platform: 275, access: 240, ingest: 240, consume: 345, socket: 240, step: 600 } as const;

/**
 * Bytes that leave AWS beside the data of messages. `wire`: the header of a WebSocket frame and its TLS record (RFC
 * 6455, RFC 8446). `post` and `message`: the answer to a POST and to each of its messages. `connect`: the answer to a
 * handshake. `reply`: a reply to a frame. Headers of TCP and the certificates of TLS are left out.
 */
export const OUT = { wire: 30, post: 350, message: 90, connect: 250, reply: 110 } as const;
