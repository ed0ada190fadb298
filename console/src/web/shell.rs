//! The frame that all pages share, as `layout.html` shows it.

use std::time::Duration;

use askama::filters::Safe;
use axum::http::{HeaderName, HeaderValue};
use domain::Timestamp;

use super::context::Known;
use super::{Jar, Language, Messages, Theme, assets};
use crate::actor::Scope;

/// The parts of the console, as the list beside each page has them. Another
/// page of its own gets a line in [`Section::ALL`], `url` and `name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Endpoints,
    Deliveries,
    Failed,
    RetryPolicy,
    Audit,
    Events,
    Api,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Overview,
        Self::Endpoints,
        Self::Deliveries,
        Self::Failed,
        Self::RetryPolicy,
        Self::Audit,
        Self::Events,
        Self::Api,
    ];

    const fn url(self) -> &'static str {
        match self {
            Self::Overview => "/overview",
            Self::Endpoints => "/endpoints",
            Self::Deliveries => "/deliveries",
            Self::Failed => "/failed",
            Self::RetryPolicy => "/settings/retry",
            Self::Audit => "/settings/audit",
            Self::Events => "/events",
            Self::Api => "/api",
        }
    }

    const fn name(self, t: &'static Messages) -> &'static str {
        match self {
            Self::Overview => t.nav.overview,
            Self::Endpoints => t.nav.endpoints,
            Self::Deliveries => t.nav.deliveries,
            Self::Failed => t.nav.failed,
            Self::RetryPolicy => t.nav.retry_policy,
            Self::Audit => t.nav.audit,
            Self::Events => t.nav.events,
            Self::Api => t.nav.api,
        }
    }
}

/// A line of the list beside a page.
#[derive(Debug)]
pub(crate) struct NavItem {
    pub(crate) url: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_current: bool,
}

/// What has just been done, shown once on the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    Created,
    Changed,
    NothingChanged,
    Paused,
    Resumed,
    Deleted,
    Rotated,
    ChangedMeanwhile,
    SentAgain,
    LeftList,
    Discarded,
    NothingSelected,
    JobCancelled,
    SignedOut,
    SessionEnded,
}

impl Notice {
    const ALL: [Self; 15] = [
        Self::Created,
        Self::Changed,
        Self::NothingChanged,
        Self::Paused,
        Self::Resumed,
        Self::Deleted,
        Self::Rotated,
        Self::ChangedMeanwhile,
        Self::SentAgain,
        Self::LeftList,
        Self::Discarded,
        Self::NothingSelected,
        Self::JobCancelled,
        Self::SignedOut,
        Self::SessionEnded,
    ];

    /// The word in its cookie.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::NothingChanged => "nothing_changed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Deleted => "deleted",
            Self::Rotated => "rotated",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::SentAgain => "sent_again",
            Self::LeftList => "left_list",
            Self::Discarded => "discarded",
            Self::NothingSelected => "nothing_selected",
            Self::JobCancelled => "job_cancelled",
            Self::SignedOut => "signed_out",
            Self::SessionEnded => "session_ended",
        }
    }

    /// For the next page, which comes at once.
    pub(crate) fn cookie(self, jar: Jar) -> (HeaderName, HeaderValue) {
        const AT_ONCE: Duration = Duration::from_secs(60);
        jar.set("notice", self.as_str(), AT_ONCE)
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == word)
    }

    /// Whether it went as it was wanted.
    pub(crate) const fn is_good(self) -> bool {
        !matches!(
            self,
            Self::ChangedMeanwhile | Self::NothingSelected | Self::SessionEnded
        )
    }

    pub(crate) const fn text(self, t: &'static Messages) -> &'static str {
        match self {
            Self::Created => t.notice.created,
            Self::Changed => t.notice.changed,
            Self::NothingChanged => t.notice.nothing_changed,
            Self::Paused => t.notice.paused,
            Self::Resumed => t.notice.resumed,
            Self::Deleted => t.notice.deleted,
            Self::Rotated => t.notice.rotated,
            Self::ChangedMeanwhile => t.notice.changed_meanwhile,
            Self::SentAgain => t.notice.sent_again,
            Self::LeftList => t.notice.left_list,
            Self::Discarded => t.notice.discarded,
            Self::NothingSelected => t.notice.nothing_selected,
            Self::JobCancelled => t.notice.job_cancelled,
            Self::SignedOut => t.notice.signed_out,
            Self::SessionEnded => t.notice.session_ended,
        }
    }
}

/// Whoever is signed in, as the top bar shows it.
#[derive(Debug)]
pub(crate) struct User {
    /// `None` for an operator.
    pub(crate) account: Option<String>,
    /// The token's id in the settings.
    pub(crate) token: String,
}

/// The frame of a page.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) t: &'static Messages,
    pub(crate) language: Language,
    pub(crate) theme: Theme,
    pub(crate) now: Timestamp,
    pub(crate) user: Option<User>,
    /// Stands in each form of the page.
    pub(crate) form_token: String,
    /// Where a change of language or theme leads back to.
    pub(crate) back: String,
    pub(crate) notice: Option<Notice>,
    section: Option<Section>,
}

impl Shell {
    pub(super) fn new(known: &Known, section: Option<Section>, now: Timestamp) -> Self {
        let t = known.language.messages();
        let visitor = known.visitor.as_ref();
        Self {
            t,
            language: known.language,
            theme: known.theme,
            now,
            user: visitor.map(|visitor| User {
                account: match &visitor.by.scope {
                    Scope::Account(account) => Some(account.to_string()),
                    Scope::Every => None,
                },
                token: visitor.by.token.clone(),
            }),
            form_token: visitor
                .map(|visitor| visitor.session.form_token())
                .unwrap_or_default(),
            back: known.page.clone().unwrap_or_else(|| "/".to_owned()),
            notice: known.notice,
            section,
        }
    }

    /// For the answer to a form: the page that the form stands on.
    pub(crate) fn back_to(mut self, page: impl Into<String>) -> Self {
        self.back = page.into();
        self
    }

    /// Whether an operator looks at it, who sees all accounts.
    pub(crate) fn is_operator(&self) -> bool {
        self.user
            .as_ref()
            .is_some_and(|user| user.account.is_none())
    }

    pub(crate) fn nav(&self) -> impl Iterator<Item = NavItem> {
        Section::ALL.into_iter().map(|section| NavItem {
            url: section.url(),
            name: section.name(self.t),
            is_current: self.section == Some(section),
        })
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    pub(crate) fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    pub(crate) fn themes(&self) -> [(Theme, &'static str); 3] {
        Theme::ALL.map(|theme| {
            let name = match theme {
                Theme::System => self.t.theme.system,
                Theme::Light => self.t.theme.light,
                Theme::Dark => self.t.theme.dark,
            };
            (theme, name)
        })
    }

    /// How long ago, or until when; the exact moment on hover.
    pub(crate) fn relative(&self, at: &Timestamp) -> Safe<String> {
        let text = self.language.relative(*at, self.now);
        self.time(*at, &text, "relative")
    }

    /// Until when, counted down by the second.
    pub(crate) fn countdown(&self, until: &Timestamp) -> Safe<String> {
        let text = self.language.relative(*until, self.now);
        self.time(*until, &text, "countdown")
    }

    /// The moment, in the reader's zone where the script runs, else in UTC.
    pub(crate) fn moment(&self, at: &Timestamp) -> Safe<String> {
        let text = self.language.moment(*at);
        self.time(*at, &text, "moment")
    }

    /// The moment with its seconds.
    pub(crate) fn exact(&self, at: &Timestamp) -> Safe<String> {
        let text = self.language.exact_moment(*at);
        self.time(*at, &text, "exact")
    }

    // Only digits and our own words: nothing to escape.
    fn time(&self, at: Timestamp, text: &str, kind: &str) -> Safe<String> {
        let exact = self.language.exact_moment(at);
        Safe(format!(
            "<time datetime=\"{at}\" title=\"{exact}\" data-time=\"{kind}\">{text}</time>"
        ))
    }

    pub(crate) fn number<N: Copy + TryInto<u64>>(&self, number: &N) -> String {
        let number = (*number).try_into();
        self.language.number(number.unwrap_or_default())
    }
}
