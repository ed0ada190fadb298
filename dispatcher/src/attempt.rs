//! A slot at an endpoint: one attempt after the other, as long as something
//! waits there.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use delivery::{Attempt, ToSign};
use domain::{
    AfterAttempt, AuditAction, AuditRecord, Cause, EndpointKey, EndpointState, EndpointStateRecord,
    Next as NextStep, Outcome, Timestamp, judge,
};
use kafka::Record;
use serde::Serialize;

use crate::{
    endpoints::{Entry, NotReady, Ready},
    engine::Engine,
    gate::{Gate, Next, may_send},
    hand_on::{To, remember},
    second_look::Looking,
    traces,
    work::Delivery,
};

/// When a signed request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// In the same moment.
    Own,
    /// After what else is ready has had its turn. Answers come many at a time: each is
    /// taken in, and the next request behind it signed, before these are written one
    /// right after the other. Whoever reads them is woken once for many.
    WithOthers,
}

impl Engine {
    /// Starts a slot, which is counted as under way already.
    pub(crate) fn start_slot(self: &Rc<Self>, gate: &Rc<Gate>, delivery: Delivery) {
        let (engine, gate) = (Rc::clone(self), Rc::clone(gate));
        self.tasks
            .spawn_local(async move { engine.slot(&gate, delivery).await });
    }

    async fn slot(self: &Rc<Self>, gate: &Rc<Gate>, first: Delivery) {
        let (mut delivery, mut turn) = (first, Turn::Own);
        loop {
            let ended = self.attempt(gate, delivery, turn).await;
            match self.gates.next(gate, ended) {
                Next::Go(next) => {
                    (delivery, turn) = (next, Turn::WithOthers);
                    // The limit may have risen.
                    self.pump(gate, ended);
                    // Attempts that end before they are sent wait for nothing.
                    tokio::task::coop::consume_budget().await;
                }
                Next::End => {
                    while let Some(next) = self.gates.next_of_all() {
                        self.pump(&next, ended);
                    }
                    while let Some(next) = self.gates.next_of_account(gate) {
                        self.pump(&next, ended);
                    }
                    self.pump(gate, ended);
                    return;
                }
            }
        }
    }

    /// One attempt, and what follows from its outcome. Gives the moment when
    /// its end was known.
    async fn attempt(self: &Rc<Self>, gate: &Gate, delivery: Delivery, turn: Turn) -> Instant {
        let Some(entry) = self.table.get(gate.endpoint()) else {
            self.second_look.add(Looking::At(delivery));
            return Instant::now();
        };
        if !may_send(&entry) {
            self.place_again(delivery);
            return Instant::now();
        }
        let at = Timestamp::now();
        let span = traces::begin(&self.tracer, &delivery);
        let attempt = match &entry.ready {
            Ok(ready) => {
                let context = span.as_ref().map(|span| span.context().to_string());
                self.send(ready, &delivery, at, context.as_deref(), turn)
                    .await
            }
            Err(NotReady::Refused(refused)) => self.may_begin(&delivery).then(|| refuse(refused)),
            // Placed as deferred; it can only have changed in this moment.
            Err(NotReady::Sealed(_)) => {
                self.place_again(delivery);
                return Instant::now();
            }
        };
        let Some(attempt) = attempt else {
            self.let_go(delivery);
            return Instant::now();
        };
        let ended = attempt.ended();
        let verdict = judge(attempt.outcome, delivery.state.attempt, &self.schedule);
        self.gates
            .settle(gate, attempt.outcome, &verdict, attempt.started, ended);
        self.count_attempt(&attempt, verdict.next);
        let target = entry.ready.as_ref().ok().map(|ready| &ready.target);
        traces::end(span, target, &attempt, verdict.next);
        // Else the partition is another dispatcher's by now, and so is the
        // delivery: it is sent again there.
        if delivery.ticket.is_ours() && self.pulse.is_steady(ended) {
            if verdict.disable {
                self.disable(&entry, Timestamp::now()).await;
            }
            self.follow(delivery, at, &attempt, verdict.next);
        }
        ended
    }

    /// What becomes of a delivery after an attempt that began `at`.
    fn follow(
        self: &Rc<Self>,
        mut delivery: Delivery,
        at: Timestamp,
        attempt: &Attempt,
        next: NextStep,
    ) {
        let log = |delivery: &Delivery, after| {
            self.attempt_log
                .write(delivery, at, Some(attempt), after, &self.metrics);
        };
        match next {
            NextStep::Delivered => {
                log(&delivery, AfterAttempt::Delivered);
                delivery.ticket.done();
            }
            NextStep::Retry(tier) => {
                let due_at = Timestamp::now_rounded_up() + tier.delay();
                log(&delivery, AfterAttempt::Retry { due_at, tier });
                remember(&mut delivery.state, attempt);
                delivery.state.attempt += 1;
                self.hand_on(delivery, To::Retry { tier, due_at });
            }
            NextStep::DeadLetter(reason) => {
                log(&delivery, AfterAttempt::DeadLetter { reason });
                remember(&mut delivery.state, attempt);
                self.hand_on(delivery, To::DeadLetter(reason));
            }
        }
    }

    /// `span` is the attempt's own `traceparent`, where it is exported. `None` where
    /// it may not begin any more when its turn has come.
    async fn send(
        &self,
        ready: &Ready,
        delivery: &Delivery,
        at: Timestamp,
        span: Option<&str>,
        turn: Turn,
    ) -> Option<Attempt> {
        let event = &delivery.event;
        let request = ToSign {
            event: event.headers.kind,
            id: event.headers.id,
            attempt: delivery.state.attempt,
            at,
            body: &event.body,
            keys: ready.keys(at),
            traceparent: span.or(event.headers.traceparent.as_deref()),
            test: false,
        };
        let outgoing = self.client.outgoing(
            &ready.target,
            |headers| ready.request.sign(&request, headers),
            event.body.clone(),
        );
        if turn == Turn::WithOthers {
            tokio::task::yield_now().await;
        }
        if !self.may_begin(delivery) {
            return None;
        }
        Some(outgoing.send().await)
    }

    /// Whether its partition is still read here.
    fn may_begin(&self, delivery: &Delivery) -> bool {
        delivery.ticket.may_begin() && self.pulse.is_steady(Instant::now())
    }

    /// The endpoint answered 410: it gets nothing more until a person resumes
    /// it. The record is written first, so that every dispatcher sees it.
    async fn disable(&self, entry: &Entry, at: Timestamp) {
        let id = entry.record.id;
        // Others that were under way may have said so already.
        let now = self.table.get(id).map(|entry| entry.state);
        if now != Some(EndpointState::Enabled) {
            return;
        }
        let said = EndpointStateRecord {
            disabled_activation: entry.record.activation,
            at,
        };
        self.table.say(id, said.clone());
        self.metrics.endpoints_disabled.inc();
        tracing::warn!(endpoint = %id, account = %entry.record.account, "the endpoint answered 410, it is disabled");
        let key = EndpointKey::State(id).to_string();
        if let Err(error) = self.tell(&self.topics.endpoints, key, &said).await {
            tracing::error!(endpoint = %id, error, "that the endpoint is disabled was not written: only this dispatcher knows");
        }
        let record = AuditRecord {
            at,
            account: Some(entry.record.account.clone()),
            token: "dispatcher".to_owned(),
            action: AuditAction::EndpointDisabled,
            subject: id.to_string(),
            detail: None,
        };
        if let Err(error) = self.tell(&self.topics.audit, record.key(), &record).await {
            tracing::error!(endpoint = %id, error, "the audit was not told that the endpoint is disabled");
        }
    }

    async fn tell(&self, topic: &str, key: String, what: &impl Serialize) -> Result<(), String> {
        let value = serde_json::to_vec(what).map_err(|error| error.to_string())?;
        let record = Record::new(topic, key.into_bytes(), value);
        let written = self.publisher.publish(record).await;
        written.map(drop).map_err(|error| error.to_string())
    }

    fn count_attempt(&self, attempt: &Attempt, next: NextStep) {
        let outcome = traces::next_name(next);
        let cause = attempt.outcome.cause().map_or("none", Cause::as_str);
        self.metrics.attempts.of([outcome, cause]).inc();
        self.metrics
            .attempt_seconds
            .observe(attempt.took.as_secs_f64());
    }
}

/// An attempt that the guard ended before it began.
fn refuse(refused: &delivery::Refused) -> Attempt {
    Attempt {
        outcome: Outcome::Failed(Cause::ForbiddenAddress),
        reason: Some(refused.to_string()),
        certificate: None,
        started: Instant::now(),
        took: Duration::ZERO,
        response_start: Vec::new(),
        reused_connection: false,
    }
}
