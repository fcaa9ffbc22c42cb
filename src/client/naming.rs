//! What a client calls itself in what it sends.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::name_of;
use crate::options::ClientOptions;
use crate::protocol::{ClientSdkInfo, ClientSdkPackage};

/// The name, the version, and the integrations of a client with these options.
pub(super) fn sdk(options: &ClientOptions) -> ClientSdkInfo {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    ClientSdkInfo {
        name: "sentry.rust.vidette".to_owned(),
        version: version.clone(),
        integrations: options.integrations.iter().map(|integration| name_of(&**integration).to_owned()).collect(),
        packages: vec![ClientSdkPackage { name: "cargo:vidette".to_owned(), version }],
    }
}

/// The same for what outlives the client: an event takes five allocations less with it where it need not be copied.
///
/// A process has few clients that differ in their integrations. The first of these kinds stay known to its end; whoever comes
/// later has a copy made for each event.
pub(super) fn lasting(sdk: &ClientSdkInfo) -> Cow<'static, ClientSdkInfo> {
    static KNOWN: [OnceLock<ClientSdkInfo>; MOST_KNOWN] = [const { OnceLock::new() }; MOST_KNOWN];

    // A copy is all that another thread may be waited for, and only where a client is made.
    match KNOWN.iter().map(|place| place.get_or_init(|| sdk.clone())).find(|known| *known == sdk) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(sdk.clone()),
    }
}

/// Kinds of clients that stay known: a few hundred bytes each.
const MOST_KNOWN: usize = 8;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{MOST_KNOWN, lasting, sdk};
    use crate::options::ClientOptions;
    use crate::protocol::ClientSdkInfo;

    #[test]
    fn clients_alike_share_their_name_and_there_is_one_for_each_kind_however_many_there_are() {
        let usual = sdk(&ClientOptions::new());
        let kinds: Vec<_> =
            (0..2 * MOST_KNOWN).map(|n| ClientSdkInfo { integrations: vec![n.to_string()], ..usual.clone() }).collect();
        for kind in kinds.iter().chain(&kinds) {
            assert_eq!(&*lasting(kind), kind);
        }
        let borrowed: Vec<_> = kinds.iter().filter(|kind| matches!(lasting(kind), Cow::Borrowed(_))).collect();
        assert!((1..=MOST_KNOWN).contains(&borrowed.len()));
    }
}
