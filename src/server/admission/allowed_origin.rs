//! Origins that the operator names.

use std::fmt;
use std::str::FromStr;

use actix_web::http::Uri;

/// An origin that may call the server, as browsers write it; or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`
    Any,
    /// `scheme://host`, or `scheme://host:port` if the port is not the scheme's own.
    Named(String),
}

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text == "null" {
            return Err(
                "every file and every sandboxed page is \"null\": \"*\" lets these in, with all others".to_owned()
            );
        }
        let wrong = || {
            format!("{text:?} is no origin: write it as https://news.example or http://localhost:3000, without a path")
        };
        let address: Uri = text.parse().map_err(|_| wrong())?;
        let (scheme, authority) = address.scheme_str().zip(address.authority()).ok_or_else(wrong)?;
        let is_whole = text.eq_ignore_ascii_case(&format!("{scheme}://{authority}"));
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte);
        let (host, port) = split_port(authority.as_str());
        let is_named = !scheme.is_empty() && host.bytes().any(|byte| byte.is_ascii_alphanumeric() || byte == b':');
        if !is_whole || !is_named || !host.bytes().all(is_host) || port.is_some_and(|port| port.parse::<u16>().is_err())
        {
            return Err(wrong());
        }
        Ok(Self::Named(normal(&scheme.to_ascii_lowercase(), authority.as_str())))
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Named(origin) => formatter.write_str(origin),
        }
    }
}

/// Host and port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// An origin as browsers write it: in small letters, without the port that its scheme has anyway.
pub(super) fn normal(scheme: &str, authority: &str) -> String {
    let (host, port) = split_port(authority);
    let usual = match scheme {
        "http" => Some("80"),
        "https" => Some("443"),
        _ => None,
    };
    let host = host.to_ascii_lowercase();
    match port.filter(|port| Some(*port) != usual) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<AllowedOrigin>().map(|origin| origin.to_string())
    }

    #[test]
    fn origins_are_what_browsers_send() {
        for (given, sent) in [
            ("*", "*"),
            ("https://news.example", "https://news.example"),
            ("HTTPS://News.Example:443", "https://news.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://a:80", "http://a"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://[::1]", "https://[::1]"),
            ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
        ] {
            assert_eq!(read(given).as_deref(), Ok(sent), "{given}");
        }
        for wrong in [
            "",
            "null",
            "news.example",
            "https://",
            "https://news.example/",
            "https://news.example/path",
            "https://*.example",
            "https://a b",
            "https://a:port",
            "https://a:",
            "https://a:99999",
            "://a",
            "https://user@a",
            "http://::1",
            "http://[]",
            "https://a?b",
            "ht tp://a",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
