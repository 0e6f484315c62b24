import assert from "node:assert/strict";
import { test } from "node:test";
import { accountSid, advance, createService, now, origin, refused, verify, walks } from "./world.mjs";

test("every parameter of a service comes back", async () => {
  const service = await verify.services.create({
    friendlyName: "Acme 2-factor",
    codeLength: 8,
    lookupEnabled: true,
    skipSmsToLandlines: true,
    dtmfInputRequired: true,
    ttsName: "voice",
    psd2Enabled: true,
    doNotShareWarningEnabled: true,
    customCodeEnabled: true,
    "push.includeDate": true,
    "push.apnCredentialSid": "CRaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "push.fcmCredentialSid": "CRbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "totp.issuer": "Acme Ltd",
    "totp.timeStep": 60,
    "totp.codeLength": 8,
    "totp.skew": 0,
    defaultTemplateSid: "HJaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "whatsapp.msgServiceSid": "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "whatsapp.from": "+15017122661",
    "passkeys.relyingParty.id": "example.com",
    "passkeys.relyingParty.name": "Acme",
    "passkeys.relyingParty.origins": "https://example.com,https://login.example.com",
    "passkeys.authenticatorAttachment": "platform",
    "passkeys.discoverableCredentials": "preferred",
    "passkeys.userVerification": "required",
    verifyEventSubscriptionEnabled: true,
  });
  const url = `${origin}/v2/Services/${service.sid}`;
  const at = await now();
  assert.deepEqual(service.toJSON(), {
    sid: service.sid,
    accountSid,
    friendlyName: "Acme 2-factor",
    codeLength: 8,
    lookupEnabled: true,
    psd2Enabled: true,
    skipSmsToLandlines: true,
    dtmfInputRequired: true,
    ttsName: "voice",
    doNotShareWarningEnabled: true,
    customCodeEnabled: true,
    push: {
      include_date: true,
      apn_credential_sid: "CRaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      fcm_credential_sid: "CRbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    },
    totp: { issuer: "Acme Ltd", time_step: 60, code_length: 8, skew: 0 },
    defaultTemplateSid: "HJaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    whatsapp: { msg_service_sid: "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", from: "whatsapp:+15017122661" },
    passkeys: {
      relying_party: { id: "example.com", name: "Acme", origins: ["https://example.com", "https://login.example.com"] },
      authenticator_attachment: "platform",
      discoverable_credentials: "preferred",
      user_verification: "required",
    },
    verifyEventSubscriptionEnabled: true,
    dateCreated: at,
    dateUpdated: at,
    url,
    links: {
      verification_checks: `${url}/VerificationCheck`,
      verifications: `${url}/Verifications`,
      rate_limits: `${url}/RateLimits`,
      messaging_configurations: `${url}/MessagingConfigurations`,
      entities: `${url}/Entities`,
      webhooks: `${url}/Webhooks`,
      access_tokens: `${url}/AccessTokens`,
    },
  });
});

test("a service lives and goes with what is below it", async () => {
  const created = await verify.services.create({ friendlyName: "Ärzte-Praxis", ttsName: "voice", "totp.skew": 2 });
  assert.equal(created.friendlyName, "Ärzte-Praxis");
  assert.equal(created.codeLength, 6);
  assert.equal(created.defaultTemplateSid, null);
  const service = verify.services(created.sid);
  assert.deepEqual((await service.fetch()).toJSON(), created.toJSON());

  await advance(60);
  const updated = await service.update({ friendlyName: "Acme Two", codeLength: 4, ttsName: "" });
  assert.equal(updated.friendlyName, "Acme Two");
  assert.equal(updated.codeLength, 4);
  assert.equal(updated.ttsName, null);
  assert.equal(updated.totp.skew, 2);
  assert.deepEqual(updated.dateCreated, created.dateCreated);
  assert.deepEqual(updated.dateUpdated, await now());

  await service.entities.create({ identity: "user-0001" });
  assert.equal(await service.remove(), true);
  await refused(service.fetch(), 404, 20404);
  await refused(service.update({ friendlyName: "Acme" }), 404, 20404);
  await refused(service.remove(), 404, 20404);
  await refused(service.entities("user-0001").fetch(), 404, 20404);
});

test("services are listed", async () => {
  for (let i = 0; i < 5; i++) {
    await createService(`Acme ${i}`);
  }
  const all = await verify.services.list({ pageSize: 1000 }); // those of other tests too
  assert.ok(all.length >= 5);
  await walks(verify.services, all.map((service) => service.sid));
});

test("services are refused", async () => {
  for (const parameters of [
    { friendlyName: "Acme 12345" },
    { friendlyName: "Acme!" },
    { friendlyName: "Acme", codeLength: 11 },
    { friendlyName: "Acme", "totp.timeStep": 19 },
    { friendlyName: "Acme", "passkeys.userVerification": "always" },
  ]) {
    await refused(verify.services.create(parameters), 400, 60200);
  }
  await refused(verify.services.create({ friendlyName: "" }), 400, 20001);
  await refused(verify.services(await createService()).update({ codeLength: 3 }), 400, 60200);
  await refused(verify.services("VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").fetch(), 404, 20404);
});
