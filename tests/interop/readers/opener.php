<?php
// A stranger's reader of envelopes, made from docs/formats/envelope.md alone: PHP with its own sodium, openssl and hash. The suite of X25519.
// One JSON case a line in: {"path", "key"} (hex seed of a kem-x25519 key). Out, a line each: {"bytes", "extra", "lines_sha256"}, or "refused".
declare(strict_types=1);
error_reporting(E_ALL);
set_error_handler(function (int $level, string $message): never { throw new RuntimeException($message); });

const SUITE = 'X25519/HKDF-SHA256/AES-256-GCM';
const CORE = ['agreement', 'content_type', 'created', 'dataset', 'exchange', 'kind', 'purpose', 'recipient', 'sender', 'template', 'v'];
const EXTRA = ['kiriman' => 0, 'pengungkapan' => 32];
const CHUNK = 16384;

function hold(bool $good): void
{
    if (!$good) {
        throw new RuntimeException('refused');
    }
}

function sorted(mixed $value): mixed
{
    if (is_array($value)) {
        if (!array_is_list($value)) {
            ksort($value, SORT_STRING);
        }
        return array_map('sorted', $value);
    }
    return $value;
}

function canonical(array $value): string
{
    return json_encode(sorted($value), JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR);
}

function base64(string $text): string
{
    $data = base64_decode($text, true);
    hold($data !== false && base64_encode($data) === $text);
    return $data;
}

function exactly(mixed $value, array $names): void
{
    hold(is_array($value) && !array_is_list($value));
    $found = array_keys($value);
    sort($found, SORT_STRING);
    hold($found === $names);
}

// --- HKDF and HPKE
function expand(string $hash, string $prk, string $info, int $size): string
{
    for ($found = $last = '', $n = 1; strlen($found) < $size; $n++) {
        $found .= $last = hash_hmac($hash, $last . $info . chr($n), $prk, true);
    }
    return substr($found, 0, $size);
}

function labelled_extract(string $suite, string $salt, string $label, string $ikm): string
{
    return hash_hmac('sha256', 'HPKE-v1' . $suite . $label . $ikm, $salt, true);
}

function labelled_expand(string $suite, string $prk, string $label, string $info, int $size): string
{
    return expand('sha256', $prk, pack('n', $size) . 'HPKE-v1' . $suite . $label . $info, $size);
}

function decrypt(string $key, string $nonce, string $sealed): string
{
    hold(strlen($sealed) >= 16);
    $text = openssl_decrypt(substr($sealed, 0, -16), 'aes-256-gcm', $key, OPENSSL_RAW_DATA, $nonce, substr($sealed, -16));
    hold($text !== false);
    return $text;
}

function unseal(string $sealed, string $private, string $public, string $info): string
{
    $kem = "KEM\x00\x20";
    $hpke = "HPKE\x00\x20\x00\x01\x00\x02";
    $enc = substr($sealed, 0, 32);
    $dh = sodium_crypto_scalarmult($private, $enc);
    $shared = labelled_expand($kem, labelled_extract($kem, '', 'eae_prk', $dh), 'shared_secret', $enc . $public, 32);
    $context = "\x00" . labelled_extract($hpke, '', 'psk_id_hash', '') . labelled_extract($hpke, '', 'info_hash', $info);
    $prk = labelled_extract($hpke, $shared, 'secret', '');
    return decrypt(labelled_expand($hpke, $prk, 'key', $context, 32), labelled_expand($hpke, $prk, 'base_nonce', $context, 12), substr($sealed, 32));
}

// --- the envelope
function parsed(string $raw): array
{
    $header = json_decode($raw, true, 8, JSON_THROW_ON_ERROR);
    hold(is_array($header) && canonical($header) === $raw);
    $recipients = $header['recipients'] ?? null;
    unset($header['recipients']);
    exactly($header, CORE);
    foreach ($header as $name => $value) {
        hold($name === 'v' ? $value === 1 : is_string($value));
    }
    hold(preg_match('/\A[0-9a-f]{32}\z/', $header['exchange']) === 1 && isset(EXTRA[$header['kind']]));
    hold(preg_match('/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/', $header['created']) === 1);
    hold(is_array($recipients) && array_is_list($recipients) && $recipients !== []);
    $sealed = [];
    $before = '';
    foreach ($recipients as $one) {
        exactly($one, ['kid', 'sealed', 'suite']);
        hold($one['suite'] === SUITE && is_string($one['kid']) && preg_match('/\A[A-Za-z0-9_-]{22}\z/', $one['kid']) === 1 && is_string($one['sealed']));
        hold(strcmp($before, $one['kid']) < 0);
        $before = $one['kid'];
        $sealed["kid $before"] = base64($one['sealed']);
        hold(strlen($sealed["kid $before"]) === 32 + 32 + EXTRA[$header['kind']] + 16);
    }
    return [$header, $sealed];
}

function whole($file, int $size): string
{
    $data = $size > 0 ? stream_get_contents($file, $size) : '';
    hold($data !== false && strlen($data) === $size);
    return $data;
}

function opened(string $path, string $private): array
{
    $public = sodium_crypto_scalarmult_base($private);
    $kid = rtrim(strtr(base64_encode(substr(hash('sha256', "kem-x25519\x00" . $public, true), 0, 16)), '+/', '-_'), '=');
    $file = fopen($path, 'rb');
    hold(whole($file, 4) === 'SNG1');
    $size = unpack('N', whole($file, 4))[1];
    hold($size >= 1 && $size <= 65535);
    $raw = whole($file, $size);
    [$core, $sealed] = parsed($raw);
    hold(isset($sealed["kid $kid"]));
    $secret = unseal($sealed["kid $kid"], $private, $public, "sng/cek/v1\x00" . hash('sha256', canonical($core), true));
    $salt = whole($file, 24);
    $derived = expand('sha512', substr($secret, 0, 32), "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" . $salt . hash('sha256', $raw, true), 76);
    hold(hash_equals(substr($derived, 44), whole($file, 32)));
    $digest = hash_init('sha256');
    $bytes = 0;
    for ($i = 0, $size = CHUNK; $size === CHUNK; $i++) {
        $nonce = substr($derived, 32, 12) ^ (str_repeat("\x00", 4) . pack('J', $i));
        $text = decrypt(substr($derived, 0, 32), $nonce, stream_get_contents($file, CHUNK + 16));
        hash_update($digest, $text);
        $size = strlen($text);
        $bytes += $size;
    }
    return ['bytes' => $bytes, 'extra' => bin2hex(substr($secret, 32)), 'lines_sha256' => hash_final($digest)];
}

while (($line = fgets(STDIN)) !== false) {
    $case = json_decode($line, true);
    try {
        echo json_encode(opened($case['path'], hex2bin($case['key']))), "\n";
    } catch (RuntimeException | SodiumException | JsonException) {
        echo "\"refused\"\n";
    }
}
