import assert from "node:assert/strict";
import { test } from "node:test";
import { accountSid, createService, now, origin, refused, verify, walks } from "./world.mjs";

test("an entity lives, whatever the case of its identity", async () => {
  const service = await createService();
  const { entities } = verify.services(service);
  const created = await entities.create({ identity: "User-0001" });
  const url = `${origin}/v2/Services/${service}/Entities/User-0001`;
  const at = await now();
  assert.deepEqual(created.toJSON(), {
    sid: created.sid,
    identity: "User-0001",
    accountSid,
    serviceSid: service,
    dateCreated: at,
    dateUpdated: at,
    url,
    links: { factors: `${url}/Factors`, new_factors: `${url}/Factors`, challenges: `${url}/Challenges` },
  });
  for (const identity of ["User-0001", "uSER-0001"]) {
    const fetched = await entities(identity).fetch();
    assert.deepEqual(fetched.toJSON(), created.toJSON());
    await refused(entities.create({ identity }), 409, 60301);
  }
  assert.equal(await entities("USER-0001").remove(), true);
  await refused(entities("User-0001").fetch(), 404, 20404);
  await refused(entities("User-0001").remove(), 404, 20404);
});

test("entities are listed", async () => {
  const { entities } = verify.services(await createService());
  const sids = [];
  for (let i = 0; i < 5; i++) {
    sids.push((await entities.create({ identity: `user-000${i}` })).sid);
  }
  await walks(entities, sids);
});

test("entities are refused", async () => {
  const { entities } = verify.services(await createService());
  for (const identity of ["short-1", "x".repeat(65), "user@example.com", "üser-0001"]) {
    await refused(entities.create({ identity }), 400, 60306);
  }
  await refused(entities.create({ identity: "" }), 400, 20001);
  const foreign = verify.services("VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").entities;
  await refused(foreign.create({ identity: "user-0001" }), 404, 20404);
  await refused(foreign.list(), 404, 20404);
});
