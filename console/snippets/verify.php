<?php
const TOLERANCE = 5 * 60; // seconds

// $headers: names in small letters. $body: file_get_contents('php://input').
function is_genuine(array $headers, string $body, string $secret, ?int $now = null): bool
{
    // An old delivery that somebody sends again. Nothing is the year 1970.
    $sent = (int) ($headers['webhook-timestamp'] ?? 0);
    if (abs(($now ?? time()) - $sent) > TOLERANCE) {
        return false;
    }

    $expected = 'sha256=' . hash_hmac('sha256', $body, $secret);
    // Two signatures, separated by a comma, while a secret is replaced.
    foreach (explode(',', $headers['x-feedbackpro-signature'] ?? '') as $given) {
        if (hash_equals($expected, trim($given))) {
            return true;
        }
    }
    return false;
}
