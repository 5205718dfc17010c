// What pages load lies beside itself as small as it gets, so that no request waits for that. Editors are left out:
// they are large, for few people, and compressed on the way.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";

const BUILT = new URL("../static/dist/", import.meta.url);

for (const name of readdirSync(BUILT).filter((each) => /\.(js|css)$/.test(each))) {
  writeFileSync(new URL(`${name}.br`, BUILT), brotliCompressSync(readFileSync(new URL(name, BUILT))));
}
