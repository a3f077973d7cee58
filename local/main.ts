import { fail, serve } from "./serve.ts";

serve().catch(fail);
