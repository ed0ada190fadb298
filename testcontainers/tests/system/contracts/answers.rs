//! Real answers are as the OpenAPI document says: those to the Postman collection, and
//! refusals.

use super::openapi::{Answer, Contract};
use super::{newman, refusals};
use crate::quickstart::Quickstart;

/// Their answers that are no problem do not come for sure: it needs the origin of a shop,
/// the stream does not end, the job may end before, and the example stands elsewhere.
const NOT_CALLED: [&str; 4] = ["preflight", "followChanges", "cancelJob", "resendDelivery"];

#[tokio::test(flavor = "multi_thread")]
async fn the_postman_collection_runs_green_and_all_answers_are_as_described() {
    let mut contract = Contract::read();
    let (quickstart, _) = Quickstart::start();
    newman::let_some_fail(&quickstart).await;
    for sent in newman::run(&quickstart).await {
        contract.check(&Answer {
            method: &sent.method,
            path: &sent.path,
            status: sent.status,
            headers: sent.headers,
            body: &sent.body,
        });
    }
    for sent in refusals::provoked(&quickstart).await {
        let headers = sent.reply.headers.iter();
        let headers = headers.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        contract.check(&Answer {
            method: sent.method.as_str(),
            path: &sent.path,
            status: sent.reply.status,
            headers: headers.collect(),
            body: &sent.reply.body,
        });
    }
    contract.end(&NOT_CALLED).await;
}
