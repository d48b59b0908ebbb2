import { index, layout, type RouteConfig, route } from "@react-router/dev/routes";

export default [
  route("sign-in", "routes/sign-in.tsx"),
  layout("routes/signed-in.tsx", [
    index("routes/devices.tsx"),
    route("password", "routes/password.tsx"),
    route("devices/end", "routes/end-device.ts"),
    route("devices/end-others", "routes/end-others.ts"),
    route("sign-out", "routes/sign-out.ts"),
    route("sign-out-everywhere", "routes/sign-out-everywhere.ts"),
  ]),
] satisfies RouteConfig;
