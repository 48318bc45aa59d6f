// A real OpenID Connect provider on loopback, for test_oidc.py. Arguments: folder with node_modules, redirect address.
// Says its own address on standard output. GET /control?account=&amr=&acr=&tamper=&page= decides who signs in next, how its ID token lies, and whether it shows a page of its own.
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, redirect] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(folder, "node_modules", path)));
const { default: Provider } = await load("oidc-provider/lib/index.js");
const jose = await load("jose/dist/webapi/index.js");

const control = { account: "", amr: "", acr: "", tamper: "", page: "" };
const own = await jose.generateKeyPair("RS256", { extractable: true });
const foreign = await jose.generateKeyPair("RS256");
const jwk = { ...(await jose.exportJWK(own.privateKey)), kid: "own", use: "sig", alg: "RS256" };

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: "sinergi", client_secret: "rahasia-klien-uji-sinergi-1234", redirect_uris: [redirect], response_types: ["code"], grant_types: ["authorization_code"] }],
  jwks: { keys: [jwk] },
  claims: { openid: ["sub", "petugas", "amr", "acr"], auth_time: null, iss: null, sid: null },
  conformIdTokenClaims: false,
  acrValues: ["kuat"],
  cookies: { keys: ["kunci-kuki-uji"] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, petugas: sub }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});

const lies = {
  aud: (c) => ({ ...c, aud: "lain" }),
  aud_azp: (c) => ({ ...c, aud: "lain", azp: "sinergi" }),
  iss: (c) => ({ ...c, iss: "https://lain.example.org" }),
  nonce: (c) => ({ ...c, nonce: "lain" }),
  no_nonce: ({ nonce, ...c }) => c,
  exp: (c) => ({ ...c, iat: c.iat - 7200, exp: c.exp - 7200 }),
  azp: (c) => ({ ...c, aud: ["sinergi", "lain"], azp: "lain" }),
  number: (c) => ({ ...c, petugas: 7 }),
  no_claim: ({ petugas, ...c }) => c,
};

provider.use(async (ctx, next) => {
  if (ctx.path === "/control") {
    Object.assign(control, Object.fromEntries(Object.keys(control).map((k) => [k, ctx.query[k] ?? ""])));
    ctx.body = "";
    return;
  }
  if (ctx.path.startsWith("/interaction/") && control.page) {
    control.page = ""; // once: the link leads on
    ctx.type = "html";
    ctx.body = '<!doctype html><link rel="icon" href="data:,"><a href="">Ya, saya</a>';
    return;
  }
  if (ctx.path.startsWith("/interaction/")) {
    const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
    const accountId = session?.accountId ?? control.account;
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope("openid");
    const consent = prompt.name === "consent" ? { grantId: await grant.save() } : undefined;
    const login = prompt.name === "login" ? { accountId, amr: control.amr ? [control.amr] : undefined, acr: control.acr || undefined } : undefined;
    await provider.interactionFinished(ctx.req, ctx.res, { login, consent }, { mergeWithLastSubmission: true });
    ctx.respond = false;
    return;
  }
  await next();
  if (ctx.path === "/token" && control.tamper && ctx.body?.id_token) {
    const claims = jose.decodeJwt(ctx.body.id_token);
    const said = (lies[control.tamper] ?? ((c) => c))(claims);
    const sign = (key, alg, kid) => new jose.SignJWT(said).setProtectedHeader({ alg, kid }).sign(key);
    if (control.tamper === "foreign") ctx.body.id_token = await sign(foreign.privateKey, "RS256", "own");
    else if (control.tamper === "none") ctx.body.id_token = new jose.UnsecuredJWT(said).encode();
    else if (control.tamper === "secret") ctx.body.id_token = await sign(new TextEncoder().encode("rahasia-klien-uji-sinergi-1234".padEnd(32)), "HS256", "own");
    else if (control.tamper === "absent") delete ctx.body.id_token;
    else ctx.body.id_token = await sign(own.privateKey, "RS256", "own");
  }
});

server.on("request", provider.callback());
process.stdin.on("end", () => process.exit(0)).resume(); // ends with the test, however that ends
console.log(issuer);
