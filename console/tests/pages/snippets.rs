//! The programs that pages show to verify deliveries, run on real ones.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use super::fixture::{Console, SHOP, cluster};
use super::receiver::{Received, Receiver};
use super::visitor::{Visitor, on_loopback};

/// Reads the cases on standard input, and prints the answers in their order.
const PROGRAMS: [(&str, &[&str]); 3] = [
    (
        "node",
        &[
            "--input-type=module",
            "--eval",
            "import { isGenuine } from './verify.mjs';
             process.stdin.setEncoding('utf8');
             let text = ''; for await (const part of process.stdin) text += part;
             const answers = JSON.parse(text).map((it) =>
               isGenuine(it.headers, Buffer.from(it.body), it.secret, it.now ?? undefined));
             console.log(JSON.stringify(answers));",
        ],
    ),
    (
        "python3",
        &[
            "-B",
            "-c",
            "import json, sys
from verify import is_genuine
print(json.dumps([is_genuine(it['headers'], it['body'].encode(), it['secret'], it['now'])
                  for it in json.load(sys.stdin)]))",
        ],
    ),
    (
        "php",
        &[
            "-r",
            "require 'verify.php';
             $cases = json_decode(stream_get_contents(STDIN), true);
             echo json_encode(array_map(fn($it) =>
               is_genuine($it['headers'], $it['body'], $it['secret'], $it['now']), $cases));",
        ],
    ),
];

fn run(program: &str, arguments: &[&str], cases: &Value) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/snippets");
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{program} does not start ({error}): run `testcontainers/setup.sh test` first")
        });
    let mut input = child.stdin.take().unwrap();
    input.write_all(cases.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn headers(delivery: &Received) -> Map<String, Value> {
    let headers = delivery.headers.iter();
    headers
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect()
}

#[tokio::test]
async fn each_program_tells_real_deliveries_from_others() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let receiver = Receiver::start(200, "").await;
    let (path, answer) = console.endpoint(&receiver.url).await;
    let send = async || {
        // Its comment has letters beyond ASCII.
        let event = json!({"event": "new_feedback"});
        let answer = console.post(&format!("{path}/test"), SHOP, event).await;
        assert_eq!(answer.status, 200);
        receiver.received().pop().unwrap()
    };
    let secret = answer.text("secret");
    let delivery = send().await;
    let body = String::from_utf8(delivery.body.to_vec()).unwrap();
    let sent: i64 = delivery.header("webhook-timestamp").parse().unwrap();
    let genuine = headers(&delivery);
    let with = |name: &str, value: &str| {
        let mut headers = genuine.clone();
        headers.insert(name.to_owned(), json!(value));
        headers
    };
    let without = |name: &str| {
        let mut headers = genuine.clone();
        headers.remove(name);
        headers
    };
    let signature = delivery.header("x-feedbackpro-signature");
    let altered = body.replace("cus_9021", "cus_9022");
    assert_ne!(altered, body);

    // While two secrets sign, each of them verifies.
    let rotated = console
        .post(&format!("{path}/rotate-secret"), SHOP, Value::Null)
        .await;
    let new_secret = rotated.text("secret");
    assert_ne!(new_secret, secret);
    let twice = send().await;
    assert!(twice.header("x-feedbackpro-signature").contains(','));
    let twice_body = String::from_utf8(twice.body.to_vec()).unwrap();

    let case = |headers: &Map<String, Value>, body: &str, secret: &str, now: Option<i64>| json!({"headers": headers, "body": body, "secret": secret, "now": now});
    let cases = [
        (true, case(&genuine, &body, secret, None)),
        (true, case(&genuine, &body, secret, Some(sent + 300))),
        (false, case(&genuine, &body, secret, Some(sent + 301))),
        (false, case(&genuine, &body, secret, Some(sent - 301))),
        (false, case(&genuine, &altered, secret, None)),
        (false, case(&genuine, &body, new_secret, None)),
        (false, case(&genuine, &body, "", None)),
        (
            false,
            case(&without("x-feedbackpro-signature"), &body, secret, None),
        ),
        (
            false,
            case(&without("webhook-timestamp"), &body, secret, None),
        ),
        (
            false,
            case(&with("webhook-timestamp", "soon"), &body, secret, None),
        ),
        (
            false,
            case(&with("x-feedbackpro-signature", ""), &body, secret, None),
        ),
        (
            false,
            case(
                &with("x-feedbackpro-signature", "sha256=é"),
                &body,
                secret,
                None,
            ),
        ),
        (
            false,
            case(
                &with("x-feedbackpro-signature", &signature.to_uppercase()),
                &body,
                secret,
                None,
            ),
        ),
        (true, case(&headers(&twice), &twice_body, secret, None)),
        (true, case(&headers(&twice), &twice_body, new_secret, None)),
    ];
    let (expected, cases): (Vec<bool>, Vec<Value>) = cases.into_iter().unzip();
    for (program, arguments) in PROGRAMS {
        let answers = run(program, arguments, &json!(cases));
        assert_eq!(answers, json!(expected), "{program}");
    }

    // They stand on the endpoint's page.
    let visitor = Visitor::signed_in(&console, SHOP).await;
    let page = visitor.get(path.trim_start_matches("/api/v1")).await;
    page.has("timingSafeEqual(bytes, expected)");
    page.has("hmac.compare_digest(one.strip(), expected)");
    page.has("hash_equals($expected, trim($given))");
}
