//! Helpers that integrations share: what must not leave the process with a request.

use url::Url;

/// Says whether a header may carry a secret or an address, so that it should not be sent unless the user agreed to.
///
/// Letters count as the same in upper and lower case, and so do `-` and `_`.
///
/// ```
/// use vidette::utils::is_sensitive_header;
///
/// assert!(is_sensitive_header("Set-Cookie"));
/// assert!(is_sensitive_header("X_API_KEY"));
/// assert!(!is_sensitive_header("content-type"));
/// ```
#[must_use]
pub fn is_sensitive_header(name: &str) -> bool {
    let same = |own: u8, known: u8| own.eq_ignore_ascii_case(&known) || (own == b'_' && known == b'-');
    SENSITIVE_HEADERS
        .iter()
        .any(|known| name.len() == known.len() && name.bytes().zip(known.bytes()).all(|(own, known)| same(own, known)))
}

/// Replaces the user name and the password of an address by `[Filtered]`, where it has any.
///
/// ```
/// use vidette::utils::scrub_pii_from_url;
///
/// let url = "https://ann:secret@example.com/path?q=1".parse().unwrap();
/// assert_eq!(scrub_pii_from_url(url).as_str(), "https://%5BFiltered%5D:%5BFiltered%5D@example.com/path?q=1");
/// ```
#[must_use]
pub fn scrub_pii_from_url(mut url: Url) -> Url {
    // Refused only where an address can have neither, and then there is nothing to hide.
    if !url.username().is_empty() {
        let _ = url.set_username(FILTERED);
    }
    if url.password().is_some() {
        let _ = url.set_password(Some(FILTERED));
    }
    url
}

const FILTERED: &str = "[Filtered]";

const SENSITIVE_HEADERS: [&str; 7] =
    ["authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-forwarded-for", "x-real-ip"];

#[cfg(test)]
mod tests {
    use super::{is_sensitive_header, scrub_pii_from_url};

    #[test]
    fn headers_are_known_however_they_are_written() {
        for name in ["Authorization", "COOKIE", "proxy_authorization", "x-Forwarded_For", "X-Real-IP"] {
            assert!(is_sensitive_header(name), "{name}");
        }
        for name in ["", "cookies", "authorizatio", "user-agent", "x+api+key"] {
            assert!(!is_sensitive_header(name), "{name}");
        }
    }

    #[test]
    fn an_address_without_a_user_stays_as_it_is() {
        for text in ["https://example.com/?user=ann", "mailto:ann@example.com", "data:text/plain,a:b@c"] {
            assert_eq!(scrub_pii_from_url(text.parse().unwrap()).as_str(), text);
        }
        let scrubbed = scrub_pii_from_url("ftp://:secret@example.com/".parse().unwrap());
        assert_eq!(scrubbed.as_str(), "ftp://:%5BFiltered%5D@example.com/");
    }
}
