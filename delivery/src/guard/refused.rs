use std::net::IpAddr;

use ipnet::IpNet;

/// Why the guard refused a URL, a name or an address: what was found, and what is
/// allowed. The text is for the customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than a URL may be.
    #[error("the URL has {found} bytes, at most {allowed} are allowed")]
    TooLong {
        /// Its length in bytes.
        found: usize,
        /// The longest allowed, in bytes.
        allowed: usize,
    },
    /// A character that parsers read in different ways.
    #[error(
        "the URL holds {found:?}: backslashes, white space and control characters are not allowed, write them percent-encoded"
    )]
    Character {
        /// The first such character.
        found: char,
    },
    /// Not `https`.
    #[error("the URL starts with {found:?}, it must start with \"https://\"")]
    Scheme {
        /// The scheme as written, cut to 16 characters.
        found: String,
    },
    /// `https:///path` and the like.
    #[error("the URL names no host, write https://host/path")]
    NoHost,
    /// `user:password@host`.
    #[error(
        "the URL holds a user name or password before the host, which is not allowed: use a header or the path"
    )]
    UserInfo,
    /// `#...`, which would never be sent.
    #[error("the URL holds a fragment (#...), which is not allowed: it would never be sent")]
    Fragment,
    /// Not a URL.
    #[error("the URL cannot be read: {reason}")]
    Unreadable {
        /// The parser's words.
        reason: String,
    },
    /// A port that is not among the allowed.
    #[error("port {found} is not allowed, allowed are {allowed}")]
    Port {
        /// The port found.
        found: u16,
        /// The ports allowed, in words.
        allowed: String,
    },
    /// A name without a dot.
    #[error("the host name {name:?} has no dot: a full public name is needed")]
    SingleLabel {
        /// The name.
        name: String,
    },
    /// A name that means something inside a network only.
    #[error("the host name {name:?} is reserved ({reserved}): a public name is needed")]
    ReservedName {
        /// The name.
        name: String,
        /// The reserved name or suffix that it matches.
        reserved: &'static str,
    },
    /// An address that is not public.
    #[error("{ip} is not a public address ({block})")]
    NotPublic {
        /// The address.
        ip: IpAddr,
        /// The block it lies in, with its RFC.
        block: &'static str,
    },
    /// An address in a net that the operator denies (`guard.deny_cidrs`).
    #[error("{ip} lies in {net}, which is denied here")]
    Denied {
        /// The address.
        ip: IpAddr,
        /// The denied net.
        net: IpNet,
    },
    /// A name with an address that is refused; one is enough.
    #[error("{name} has an address that is refused: {address}")]
    Resolved {
        /// The name.
        name: String,
        /// Why its address is refused.
        address: Box<Refused>,
    },
    /// A header of the customer's own that cannot be sent.
    #[error("the header {name:?} is not allowed: {reason}")]
    Header {
        /// Its name as written, cut to 64 characters.
        name: String,
        /// What is wrong with it.
        reason: HeaderFault,
    },
}

/// What is wrong with a header of the customer's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// It is one too many.
    #[error("there may be 20 headers at most")]
    TooMany,
    /// It is too long with the others.
    #[error("names and values of all headers may have 4096 bytes together")]
    TooLong,
    /// Names are compared without regard to case.
    #[error("it stands twice, in different letter case")]
    Twice,
    /// RFC 9110 section 5.1.
    #[error("a name is made of letters, digits and !#$%&'*+-.^_`|~")]
    Name,
    /// One that belongs to the contract.
    #[error("each delivery sets it itself")]
    Own,
    /// For one connection only.
    #[error("it belongs to the connection, not to the delivery")]
    HopByHop,
    /// Bytes that servers read in different ways.
    #[error("a value is made of visible ASCII characters and spaces")]
    Value,
}
