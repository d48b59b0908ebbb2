import type { NextConfig } from "next";

const config: NextConfig = {
  // Without this, Next.js may choose a folder above, if that has a lock file.
  turbopack: { root: import.meta.dirname },
};

export default config;
