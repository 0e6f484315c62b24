import { test } from "node:test";
import { accountSid, connect, createService, refused, verify } from "./world.mjs";

test("strangers are not let in", async () => {
  const sid = await createService();
  for (const stranger of [connect(accountSid, "wrong"), connect("ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]) {
    await refused(stranger.services(sid).fetch(), 401, 20003);
    await refused(stranger.services.create({ friendlyName: "Acme 12345" }), 401, 20003);
    await refused(stranger.services.list(), 401, 20003);
    await refused(stranger.services(sid).remove(), 401, 20003);
  }
  await verify.services(sid).fetch();
});

test("what is not built says so", async () => {
  const service = verify.services(await createService());
  await refused(service.verifications.create({ to: "+15017122661", channel: "sms" }), 404, 20404);
  await refused(service.webhooks.list(), 404, 20404);
});
