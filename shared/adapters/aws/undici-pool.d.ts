/** Of all of undici only this is needed, which halves what a function loads before its first post. */
declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";
  export default Pool;
}
