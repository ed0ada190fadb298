//! How the way to endpoints is written in a settings file, the same for every
//! binary that goes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Connector, Egress, Guard, Limits, SetupError};

/// Section `[egress]`. Empty texts mean: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressSettings {
    /// See [`Egress::proxy`].
    pub proxy: String,
    /// See [`Egress::extra_ca`].
    pub extra_ca: String,
}

impl EgressSettings {
    /// A connector with the product's limits.
    ///
    /// # Errors
    /// When the proxy's URL or the file of authorities cannot be used.
    pub fn connector(&self, guard: Guard) -> Result<Connector, SetupError> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let egress = Egress {
            proxy: given(&self.proxy),
            extra_ca: given(&self.extra_ca).map(PathBuf::from),
        };
        Connector::new(guard, Limits::default(), &egress)
    }
}

/// Nets as their text, with the reason where one is none.
pub(crate) mod cidrs {
    use ipnet::IpNet;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(
        nets: &[IpNet],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let texts: Vec<String> = nets.iter().map(ToString::to_string).collect();
        texts.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<IpNet>, D::Error> {
        let read = |text: &String| {
            text.parse()
                .map_err(|_| de::Error::custom("nets in CIDR notation, such as 203.0.113.0/24"))
        };
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(read)
            .collect()
    }
}
