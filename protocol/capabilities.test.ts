import assert from "node:assert/strict";
import { test } from "node:test";
import { CAPABILITIES, decodeProbeReply, encodeProbe } from "./capabilities.ts";
import { decode } from "./mdp.ts";

const reply = (...frames: string[]) => {
  const command = decode(frames.map((frame) => Buffer.from(frame)));
  assert.ok(command.header === "client");
  return decodeProbeReply(command);
};

test("capability probe: a plain request to mmi.service that names the capability", () => {
  for (const name of CAPABILITIES)
    assert.deepEqual(encodeProbe(name).map(String), ["", "MDPC01", "mmi.service", name]);
});

test("reply to a probe: 200 is yes, any other body is no, another message is none", () => {
  assert.equal(reply("", "MDPC01", "mmi.service", "200"), true);
  for (const body of ["404", "501", "", "200 "])
    assert.equal(reply("", "MDPC01", "mmi.service", body), false);
  assert.equal(reply("", "MDPC01", "mmi.services", "200"), null);
  assert.equal(reply("id", "", "MDPC01", "mmi.service", "200"), null);
  assert.equal(reply("", "MDPC02", "\x03", "mmi.service", "200"), null);
});
