import type { NextConfig } from "next";

const config: NextConfig = {
  // This folder, and not one above it that has a lock file, too.
  turbopack: { root: import.meta.dirname },
};

export default config;
