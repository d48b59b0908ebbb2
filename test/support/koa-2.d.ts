// Koa 2 beside Koa 3: what these tests use of the two has the same types.
declare module "koa-2" {
  import Koa from "koa";
  export default Koa;
}
