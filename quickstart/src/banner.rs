//! What is shown once everything runs.

use std::{io::Write as _, time::Duration};

use domain::Tier;

use crate::{args::Args, demo, shop};

/// How long somebody may want to watch.
const A_MINUTE: Duration = Duration::from_secs(60);

/// Prints the URLs, the token and three commands to try.
pub(crate) fn show(args: &Args, token: &str, in_memory: bool) -> std::io::Result<()> {
    let Args {
        console_port: console,
        producer_port: producer,
        failed_port: failed,
        receiver_port: receiver,
        ..
    } = args;
    let kafka = match (&args.kafka, in_memory) {
        (Some(brokers), _) => format!("Kafka at {brokers}. Its topics stay when this ends."),
        (None, _) => {
            "IN MEMORY ONLY: a mock of Kafka. All events are gone when this ends.".to_owned()
        }
    };
    let schedule: Vec<String> = args.schedule.delays().iter().map(Tier::to_string).collect();
    let schedule = schedule.join(", ");
    let total: Duration = args.schedule.delays().iter().map(|it| it.delay()).sum();
    let sooner = if total > A_MINUTE {
        " (sooner with --schedule 1s,2s,3s,4s,5s)"
    } else {
        ""
    };
    let samples = demo::samples_file().display();
    let mut out = std::io::stdout().lock();
    write!(
        out,
        "
FeedBackPro Webhooks is running.
{kafka}

  demo shop      http://127.0.0.1:{receiver}{shop}
  console        http://127.0.0.1:{console}/   (API: /api/v1, health: /readyz, metrics: /metrics)
  events         http://127.0.0.1:{producer}/v1/events
  failed list    http://127.0.0.1:{failed}/webhooks/failed
  demo receiver  http://127.0.0.1:{receiver}/webhooks/feedback   (/broken answers 500)
  retries        {schedule}
  token          {token}      (account {account})

Open the demo shop in a browser and give your opinion: you see the click become a signed
delivery. Or try, in another terminal:

1. Post an event and see it arrive here and in the shop, signed:
curl -s http://127.0.0.1:{producer}/v1/events -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{{\"event\":\"rating_submitted\",\"data\":{{\"score\":5,\"product_sku\":\"BW-440-RED\",\"session_page\":\"/checkout/thank-you\"}}}}'

2. Post {count} events at once:
curl -s http://127.0.0.1:{producer}/v1/events -H 'Authorization: Bearer {token}' -H 'Content-Type: application/x-ndjson' --data-binary @{samples}

3. Add an endpoint that fails; what is posted next is retried, then stands in the failed list{sooner}:
curl -s http://127.0.0.1:{console}/api/v1/endpoints -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{{\"url\":\"http://127.0.0.1:{receiver}/broken\",\"events\":[\"rating_submitted\"]}}'
curl -s http://127.0.0.1:{failed}/webhooks/failed -H 'Authorization: Bearer {token}'

Ctrl-C stops everything.
",
        account = demo::ACCOUNT,
        count = demo::SAMPLE_COUNT,
        shop = shop::PATH,
    )?;
    out.flush()
}
