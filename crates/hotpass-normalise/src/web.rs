//! Web addresses: one canonical form, and the domain that is an organisation's own.

use std::borrow::Cow;

use crate::{
    blank::{is_blank, trim_blank},
    email::{is_free_provider, is_plain_domain},
    kernel::{FieldRule, Outcome, RuleCounts},
    placeholder::{is_placeholder, no_value},
};

/// Longest address, in bytes, that common software accepts.
const LONGEST_ADDRESS: usize = 2048;

/// Domains whose pages belong to their users, or below which a page says nothing about its owner's domain; sorted.
const SHARED_DOMAINS: &[&str] = &[
    "about.me",
    "airbnb.com",
    "alibaba.com",
    "amazon.com",
    "amazonaws.com",
    "apple.com",
    "bing.com",
    "bit.ly",
    "blogger.com",
    "blogspot.co.za",
    "blogspot.com",
    "booking.com",
    "brabys.co.za",
    "brabys.com",
    "business.site",
    "canva.site",
    "carrd.co",
    "cylex.net.za",
    "dropbox.com",
    "ebay.com",
    "etsy.com",
    "eventbrite.com",
    "facebook.com",
    "fb.com",
    "fb.me",
    "flickr.com",
    "foursquare.com",
    "g.co",
    "g.page",
    "github.com",
    "github.io",
    "godaddysites.com",
    "goo.gl",
    "google.co.za",
    "google.com",
    "gumtree.co.za",
    "hotfrog.co.za",
    "icloud.com",
    "instagram.com",
    "issuu.com",
    "jimdo.com",
    "jimdofree.com",
    "jimdosite.com",
    "lekkeslaap.co.za",
    "linkedin.com",
    "linktr.ee",
    "live.com",
    "medium.com",
    "messenger.com",
    "microsoft.com",
    "myshopify.com",
    "ning.com",
    "notion.site",
    "office.com",
    "outlook.com",
    "pinterest.com",
    "property24.com",
    "quora.com",
    "reddit.com",
    "safarinow.com",
    "sharepoint.com",
    "shopify.com",
    "site123.me",
    "slideshare.net",
    "snapchat.com",
    "snupit.co.za",
    "soundcloud.com",
    "spotify.com",
    "square.site",
    "squarespace.com",
    "strikingly.com",
    "t.co",
    "t.me",
    "takealot.com",
    "telegram.me",
    "threads.net",
    "tiktok.com",
    "tinyurl.com",
    "tripadvisor.co.za",
    "tripadvisor.com",
    "tumblr.com",
    "twitter.com",
    "ueniweb.com",
    "vimeo.com",
    "vk.com",
    "wa.me",
    "weebly.com",
    "weeblysite.com",
    "whatsapp.com",
    "wikipedia.org",
    "wix.com",
    "wixsite.com",
    "wordpress.com",
    "x.com",
    "yahoo.com",
    "yellowpages.co.za",
    "yelp.com",
    "yola.com",
    "yolasite.com",
    "youtu.be",
    "youtube.com",
];

/// Misspelt and correct names of the schemes of web pages.
const SCHEMES: &[&str] = &[
    "http", "https", "htp", "htps", "htpp", "htpps", "hhtp", "hhttp", "hhttps", "htttp", "htttps", "ttp", "ttps",
    "httpp", "httpss", "hxxp", "hxxps",
];

/// File names that name the page a server shows anyway.
const INDEX_PAGES: &[&str] = &[
    "index.html",
    "index.htm",
    "index.php",
    "index.asp",
    "index.aspx",
    "index.jsp",
    "default.aspx",
    "default.asp",
    "default.html",
    "default.htm",
];

/// A web address in its canonical form, and what can be told from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// The whole address.
    pub url: String,
    /// The host as A-labels, without `www.`.
    pub host: String,
    /// The domain that was registered: the public suffix and one label.
    pub registrable_domain: String,
    /// Whether the host is shared by many owners: a social network, a site builder, a directory or a mail provider.
    pub is_shared: bool,
}

/// Reads a web address and brings it into its canonical form.
///
/// # Errors
/// The code of the reason, such as `web.is_email`, when the value holds no address; `web.empty` when it means "no value".
pub fn parse_web(value: &str) -> Result<Web, &'static str> {
    let mut url = String::new();
    match canonical(value, &mut url, &mut RuleCounts::default()) {
        Ok(()) => {}
        Err(Outcome::Failed(reason)) => return Err(reason),
        Err(_) => return Err("web.empty"),
    }
    let host = host_of(&url).ok_or("web.host_syntax")?.to_owned();
    let registrable_domain = psl::domain_str(&host).ok_or("web.public_suffix")?.to_owned();
    Ok(Web { is_shared: web_identity(&url).is_none(), url, host, registrable_domain })
}

/// Returns the registrable domain of a web address when it is the owner's own; expects the canonical form.
///
/// Nothing comes back for hosts that many owners share (social networks, site builders such as `acme.wixsite.com`, directories,
/// mail providers): equal domains there do not mean equal owners. A customer below a private suffix of the public suffix
/// list that is not on that list, such as `acme.uk.com`, counts as its own domain.
pub fn web_identity(url: &str) -> Option<&str> {
    own_domain(host_of(url)?)
}

/// Returns the registrable domain of a host in lower case when it is the owner's own; see [`web_identity`].
///
/// It also serves for the domain of an e-mail address.
pub fn own_domain(host: &str) -> Option<&str> {
    let domain = psl::domain_str(host)?;
    let shared = |domain: &str| SHARED_DOMAINS.binary_search(&domain).is_ok() || is_free_provider(domain);
    let parent = domain.split_once('.').map_or("", |(_, parent)| parent);
    (has_known_suffix(host) && !shared(domain) && !shared(parent)).then_some(domain)
}

/// Returns whether a host in lower case ends in a suffix of the public suffix list, or in a name that RFC 2606 reserves for
/// examples and tests: such an address is well-formed, although it leads nowhere. `.invalid` stays what it says.
pub(crate) fn has_known_suffix(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
        || host.rsplit_once('.').is_some_and(|(_, top)| matches!(top, "example" | "test"))
}

/// The rule for web addresses: `https://host/path`, without `www.`, query, fragment, default port and closing slash.
///
/// The scheme becomes `https`, because sources differ in it for one and the same site. A query is kept, less its tracking
/// parameters, only where it locates the page: behind an empty path or a script such as `page.php`. Several addresses in a
/// cell: the first is taken and `web.several` counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebRule;

impl FieldRule for WebRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        if let Some(outcome) = plain(value, scratch, counts) {
            return outcome;
        }
        match canonical(value, scratch, counts) {
            Ok(()) if scratch == value => Outcome::Same,
            Ok(()) => Outcome::Changed,
            Err(outcome) => outcome,
        }
    }
}

/// Reads the plain form that most addresses have, with the same result as [`canonical`]; nothing means "look closer".
///
/// That form is a known scheme or none, a host of plain labels and a path of plain segments.
fn plain(value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Option<Outcome> {
    let (rest, scheme_code) = match (value.strip_prefix("https://"), value.strip_prefix("http://")) {
        (Some(rest), _) => (rest, None),
        (None, Some(rest)) => (rest, Some("web.https")),
        (None, None) => (value, Some("web.scheme_added")),
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let bare = host.strip_prefix("www.").unwrap_or(host);
    let bare_path = if path == "/" { "" } else { path };
    let is_plain_path = !bare_path.ends_with('/')
        && bare_path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'~' | b'%' | b'@' | b'+'));
    if bare.starts_with("www.") || !is_plain_path || value.len() > LONGEST_ADDRESS || !is_plain_domain(bare.as_bytes())
    {
        return None;
    }
    let suffix = psl::suffix(bare.as_bytes())?;
    if !has_known_suffix(bare) || suffix.as_bytes().len() == bare.len() {
        return None;
    }
    let codes = [
        scheme_code,
        (bare.len() != host.len()).then_some("web.www"),
        (bare_path.len() != path.len()).then_some("web.trailing_slash"),
    ];
    if codes == [None; 3] {
        return Some(Outcome::Same);
    }
    codes.into_iter().flatten().for_each(|code| counts.add(code));
    for part in ["https://", bare, bare_path] {
        scratch.push_str(part);
    }
    Some(Outcome::Changed)
}

/// Returns the host of an address with a scheme, without its port.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    (!host.is_empty()).then_some(host)
}

/// Writes the canonical form of a value to `url`, or says why it has none.
fn canonical(value: &str, url: &mut String, counts: &mut RuleCounts) -> Result<(), Outcome> {
    let trimmed = trim_blank(value);
    if is_placeholder(trimmed) {
        return Err(no_value(trimmed, counts));
    }
    if trimmed.len() != value.len() {
        counts.add("web.trim");
    }
    if trimmed.len() > LONGEST_ADDRESS {
        return Err(Outcome::Failed("web.too_long"));
    }
    let text = single_address(trimmed, counts);
    let rest = strip_schemes(&text, counts).map_err(Outcome::Failed)?;
    if rest.is_empty() || rest.eq_ignore_ascii_case("www.") || rest.eq_ignore_ascii_case("www") {
        return Err(no_value(trimmed, counts));
    }
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = strip_credentials(authority, rest.len() == text.len(), counts).map_err(Outcome::Failed)?;
    let (host, port) = split_port(authority, counts).map_err(Outcome::Failed)?;
    url.push_str("https://");
    write_host(host, url, counts).map_err(Outcome::Failed)?;
    if let Some(port) = port {
        url.push(':');
        url.push_str(port);
    }
    write_tail(tail, url, counts);
    Ok(())
}

/// Takes off wrappers and picks the first address of a cell with several words.
fn single_address<'a>(trimmed: &'a str, counts: &mut RuleCounts) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(trimmed);
    if text.contains('\\') {
        counts.add("web.backslash");
        text = Cow::Owned(text.replace('\\', "/"));
    }
    if text.contains(|character: char| is_blank(character) || matches!(character, ';' | '|' | '<' | '>' | '"'))
        || text.ends_with([',', ')', '.', '\''])
        || text.starts_with(['(', '\''])
        || text.contains(", ")
        || text.contains(",http")
        || text.contains(",www")
    {
        text = Cow::Owned(first_word(&text, counts));
    }
    text
}

/// Returns the first word that looks like an address; `www. x` and `x .com` are joined before.
fn first_word(text: &str, counts: &mut RuleCounts) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() {
            gap = true;
            continue;
        }
        if is_blank(character) {
            continue;
        }
        if gap && character != '.' && !ends_with_ignoring_case(&joined, "www.") && !joined.ends_with("://") {
            joined.push(' ');
        }
        gap = false;
        joined.push(character);
    }
    let separators = |character: char| matches!(character, ' ' | ';' | '|' | ',' | '<' | '>' | '"');
    let strip = |word: &str| {
        word.trim_matches(|character| matches!(character, '(' | ')' | '.' | '\'' | '[' | ']' | '-' | ':')).to_owned()
    };
    let mut candidates = joined.split(separators).filter(|word| word.trim_matches('.').contains('.'));
    let preferred = candidates.clone().find(|word| !word.contains('@')).map(strip);
    let first = candidates.next().map(strip);
    if joined.split(separators).filter(|word| word.trim_matches('.').contains('.') && !word.contains('@')).count() > 1 {
        counts.add("web.several");
    } else {
        counts.add("web.surrounding_text");
    }
    preferred.or(first).unwrap_or(joined)
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|start| text.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Takes off the scheme, also a misspelt or doubled one.
fn strip_schemes<'a>(text: &'a str, counts: &mut RuleCounts) -> Result<&'a str, &'static str> {
    if let Some(rest) = text.strip_prefix("https://").filter(|rest| !rest.starts_with(['h', 'H', '/'])) {
        return Ok(rest);
    }
    let mut rest = text;
    let mut schemes = 0;
    let mut repaired = false;
    loop {
        let name_length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, behind) = rest.split_at(name_length);
        let marks = behind.bytes().take_while(|byte| matches!(byte, b':' | b'/' | b';')).count();
        if name.is_empty() || marks == 0 {
            break;
        }
        if SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(name)) {
            repaired |= schemes > 0
                || &behind[..marks] != "://"
                || !name.to_ascii_lowercase().starts_with("http")
                || name.len() > 5;
            schemes += 1;
            if schemes == 1 && !name.eq_ignore_ascii_case("https") {
                counts.add("web.https");
            }
        } else if behind.starts_with("://")
            || ["mailto", "tel", "javascript", "file", "data"]
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name) && behind.starts_with(':'))
        {
            return Err("web.other_scheme");
        } else if behind.starts_with(':')
            && ["url", "web", "website", "site", "webpage", "homepage"]
                .iter()
                .any(|label| label.eq_ignore_ascii_case(name))
        {
            repaired = true;
        } else {
            break;
        }
        rest = trim_blank(&behind[marks..]);
    }
    let bare = rest.trim_start_matches('/');
    if schemes == 0 {
        counts.add("web.scheme_added");
    } else if repaired || bare.len() != rest.len() {
        counts.add("web.scheme_repaired");
    }
    Ok(bare)
}

fn strip_credentials<'a>(authority: &'a str, bare: bool, counts: &mut RuleCounts) -> Result<&'a str, &'static str> {
    match authority.rsplit_once('@') {
        None => Ok(authority),
        Some(("", _)) => Err("web.social_handle"),
        Some((credentials, host)) => {
            if bare && !credentials.contains(':') {
                return Err("web.is_email");
            }
            counts.add("web.credentials");
            Ok(host)
        }
    }
}

fn split_port<'a>(authority: &'a str, counts: &mut RuleCounts) -> Result<(&'a str, Option<&'a str>), &'static str> {
    match authority.split_once(':') {
        None => Ok((authority, None)),
        Some((host, "" | "80" | "443")) => {
            counts.add("web.default_port");
            Ok((host, None))
        }
        Some((host, port)) if port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with(['+', '0']) => {
            Ok((host, Some(port)))
        }
        Some(_) => Err("web.port"),
    }
}

fn write_host(host: &str, url: &mut String, counts: &mut RuleCounts) -> Result<(), &'static str> {
    let start = url.len();
    let host = host.trim_end_matches(['.', ',', ':']);
    let mut lower = Cow::Borrowed(host);
    if host.chars().any(char::is_uppercase) {
        counts.add("web.lower_case");
        lower = Cow::Owned(host.to_lowercase());
    }
    let mut bare: &str = &lower;
    while let Some(rest) = bare.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        if bare.len() == lower.len() {
            counts.add("web.www");
        }
        bare = rest;
    }
    if is_plain_domain(bare.as_bytes()) {
        url.push_str(bare);
    } else {
        let ascii = ascii_host(bare)?;
        if ascii != bare {
            counts.add("web.idna");
        }
        url.push_str(&ascii);
    }
    let host = &url[start..];
    let suffix = psl::suffix(host.as_bytes()).ok_or("web.host_syntax")?;
    if !has_known_suffix(host) {
        return Err("web.unknown_suffix");
    }
    if suffix.as_bytes().len() == host.len() {
        return Err("web.public_suffix");
    }
    Ok(())
}

/// Returns a lower-case host as A-labels, or why it is none.
fn ascii_host(host: &str) -> Result<String, &'static str> {
    if host.contains('[') || (host.contains('.') && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')) {
        return Err("web.ip_address");
    }
    if host.contains('@') {
        return Err("web.is_email");
    }
    if host.contains(',') {
        return Err("web.comma_in_host");
    }
    if !host.contains(['.', '\u{3002}', '\u{ff0e}']) {
        return Err("web.host_no_dot");
    }
    idna::domain_to_ascii_strict(host).map_err(|_| "web.host_syntax")
}

/// Writes path and query in canonical form.
fn write_tail(tail: &str, url: &mut String, counts: &mut RuleCounts) {
    if tail.is_empty() {
        return;
    }
    let tail = match tail.split_once('#') {
        None => tail,
        Some((before, _)) => {
            counts.add("web.fragment");
            before
        }
    };
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    let mut bare = path.trim_end_matches(['/', '.', ',', ')', '\'']);
    let kept_query = query.map(|query| kept_parameters(bare, query, counts)).unwrap_or_default();
    if kept_query.is_empty()
        && let Some((folder, page)) = bare.rsplit_once('/')
        && INDEX_PAGES.iter().any(|index| index.eq_ignore_ascii_case(page))
    {
        counts.add("web.index_page");
        bare = folder.trim_end_matches('/');
    } else if bare.len() != path.len() {
        counts.add("web.trailing_slash");
    }
    url.push_str(bare);
    if !kept_query.is_empty() {
        if bare.is_empty() {
            url.push('/');
        }
        url.push('?');
        url.push_str(&kept_query);
    }
}

/// Returns the parameters that locate a page: none behind an ordinary path, all but tracking behind a script.
fn kept_parameters(path: &str, query: &str, counts: &mut RuleCounts) -> String {
    let page = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let locates = page.is_empty()
        || [".php", ".asp", ".aspx", ".jsp", ".cfm", ".cgi", ".pl", ".do", ".dll"]
            .iter()
            .any(|end| page.ends_with(end));
    let mut kept = String::new();
    let (mut tracking, mut dropped) = (false, false);
    for parameter in query.split(['&', ';']).filter(|parameter| !parameter.is_empty()) {
        if is_tracking(parameter.split('=').next().unwrap_or_default()) {
            tracking = true;
        } else if locates {
            if !kept.is_empty() {
                kept.push('&');
            }
            kept.push_str(parameter);
        } else {
            dropped = true;
        }
    }
    kept.truncate(kept.trim_end_matches(['.', ',', ')', '\'', '&']).len());
    if tracking {
        counts.add("web.tracking");
    }
    if dropped || (query.is_empty() && !tracking) {
        counts.add("web.query");
    }
    kept
}

fn is_tracking(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "_ga",
        "_gl",
        "_hsenc",
        "_hsmi",
        "dclid",
        "epik",
        "fb_action_ids",
        "fbclid",
        "gad_source",
        "gbraid",
        "gclid",
        "gclsrc",
        "igsh",
        "igshid",
        "li_fat_id",
        "mc_cid",
        "mc_eid",
        "mibextid",
        "mkt_tok",
        "msclkid",
        "ref",
        "ref_src",
        "s_kwcid",
        "si",
        "srsltid",
        "trk",
        "ttclid",
        "twclid",
        "vero_id",
        "wbraid",
        "yclid",
        "phpsessid",
        "sessionid",
        "sid",
        "jsessionid",
    ];
    let name = name.to_ascii_lowercase();
    name.starts_with("utm_") || name.starts_with("pk_") || name.starts_with("hsa_") || NAMES.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn apply(value: &str) -> (Outcome, String, Vec<String>) {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        let outcome = WebRule.apply(0, value, &mut scratch, &mut counts);
        (outcome, scratch, counts.iter().map(|(code, _)| code.to_owned()).collect())
    }

    /// Names reserved for examples and tests are well-formed and tell owners apart.
    #[test]
    fn reserved_names_are_well_formed() {
        for value in
            ["https://acme.example", "https://shop.acme.test/about", "https://example.com", "https://example.org"]
        {
            let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
            assert_eq!(WebRule.apply(0, value, &mut scratch, &mut counts), Outcome::Same, "{value}");
            assert_eq!(parse_web(value).map(|web| web.url), Ok(value.to_owned()));
        }
        assert_eq!(web_identity("https://www2.acme.example/x"), Some("acme.example"));
    }

    #[test]
    fn a_query_does_not_end_in_a_separator() {
        assert_eq!(parse_web("acme.com?a&.#").map(|web| web.url), Ok("https://acme.com/?a".to_owned()));
    }

    #[test]
    fn addresses_are_read_in_every_dress() {
        let check = |input: &str, expected: &str| {
            assert_eq!(parse_web(input).map(|web| web.url).as_deref(), Ok(expected), "{input}");
        };
        for input in [
            "https://acme.co.za",
            "http://acme.co.za",
            "acme.co.za",
            "www.acme.co.za",
            "WWW.ACME.CO.ZA",
            "https://www.acme.co.za/",
            "Http://Acme.co.za/",
            "http//acme.co.za",
            "http:/acme.co.za",
            "http:acme.co.za",
            "htp://acme.co.za",
            "https;//acme.co.za",
            "http:\\\\acme.co.za",
            "http://https://acme.co.za",
            "http://http//www.acme.co.za",
            "//acme.co.za",
            "https://acme.co.za:443",
            "http://acme.co.za:80/",
            "https://acme.co.za#top",
            "https://acme.co.za/?utm_source=x",
            "https://acme.co.za/index.html",
            "https://acme.co.za/?fbclid=abc&gclid=1",
            " acme.co.za ",
            "acme.co.za.",
            "<acme.co.za>",
            "(www.acme.co.za)",
            "www. acme.co.za",
            "www.acme .co.za",
            "Website: www.acme.co.za",
            "web:acme.co.za",
            "https://www.www.acme.co.za",
            "acme.co.za; www.other.co.za",
            "acme.co.za, other.co.za",
            "acme.co.za / other.co.za",
            "https://user:secret@acme.co.za",
            "ann@acme.co.za www.acme.co.za",
            "see acme.co.za",
        ] {
            check(input, "https://acme.co.za");
        }
        check("acme.co.za/About/Us/", "https://acme.co.za/About/Us");
        check("acme.co.za/page?id=3&utm_medium=mail", "https://acme.co.za/page");
        check("acme.co.za/page.php?id=3&utm_medium=mail", "https://acme.co.za/page.php?id=3");
        check("acme.co.za/index.php?id=3", "https://acme.co.za/index.php?id=3");
        check("acme.co.za?id=3", "https://acme.co.za/?id=3");
        check("acme.co.za:8080/a", "https://acme.co.za:8080/a");
        check("http://b\u{fc}cher.de", "https://xn--bcher-kva.de");
        check("https://www.facebook.com/profile.php?id=100&ref=x", "https://facebook.com/profile.php?id=100");
        check("www.facebook.com/AcmeZA", "https://facebook.com/AcmeZA");
        check("hats.com", "https://hats.com");
        check("https://hats.com", "https://hats.com");
    }

    #[test]
    fn what_is_no_address_says_why() {
        let check = |input: &str, expected: &str| assert_eq!(parse_web(input), Err(expected), "{input}");
        check("ann@acme.co.za", "web.is_email");
        check("mailto:ann@acme.co.za", "web.other_scheme");
        check("ftp://acme.co.za", "web.other_scheme");
        check("@acme", "web.social_handle");
        check("acme", "web.host_no_dot");
        check("http://localhost/", "web.host_no_dot");
        check("10.0.0.1", "web.ip_address");
        check("http://192.168.1.1/admin", "web.ip_address");
        check("logo.pngx", "web.unknown_suffix");
        check("acme.invalid", "web.unknown_suffix");
        check("acmeexample", "web.host_no_dot");
        check("co.za", "web.public_suffix");
        check("www.co.za", "web.public_suffix");
        check("acme..co.za", "web.host_syntax");
        check("-acme-.co.za", "web.host_syntax");
        check("acme,co.za", "web.comma_in_host");
        check("acme.co.za:99999", "web.port");
        check(&format!("acme.co.za/{}", "a".repeat(3000)), "web.too_long");
        for blank in ["", " ", "-", "n/a", "none", "http://", "https://www.", "www", "www."] {
            check(blank, "web.empty");
        }
    }

    #[test]
    fn changes_are_counted_by_step() {
        let check = |input: &str, expected: &[&str]| assert_eq!(apply(input).2, expected, "{input}");
        check("https://acme.co.za", &[]);
        check("https://acme.co.za/about", &[]);
        check("http://acme.co.za", &["web.https"]);
        check("acme.co.za", &["web.scheme_added"]);
        check("https://www.acme.co.za", &["web.www"]);
        check("https://acme.co.za/", &["web.trailing_slash"]);
        check("https://Acme.co.za", &["web.lower_case"]);
        check("https://acme.co.za/a?x=1", &["web.query"]);
        check("https://acme.co.za/a?utm_source=1", &["web.tracking"]);
        check("https://acme.co.za/a#b", &["web.fragment"]);
        check("https://acme.co.za:443", &["web.default_port"]);
        assert_eq!(apply("https://acme.co.za/about").0, Outcome::Same);
    }

    #[test]
    fn only_own_domains_identify() {
        let check = |input: &str, expected: Option<&str>| assert_eq!(web_identity(input), expected, "{input}");
        check("https://acme.co.za/about", Some("acme.co.za"));
        check("https://shop.acme.co.za:8080", Some("acme.co.za"));
        check("https://acme.uk.com", Some("acme.uk.com"));
        for shared in [
            "https://facebook.com/acme",
            "https://m.facebook.com/acme",
            "https://acme.wixsite.com/home",
            "https://sites.google.com/view/acme",
            "https://acme.business.site",
            "https://gmail.com",
            "https://acme.wordpress.com",
            "https://acme.blogspot.com",
            "https://linkedin.com/company/acme",
            "https://co.za",
            "https://acme.unknownsuffix",
            "",
            "https://",
        ] {
            check(shared, None);
        }
        assert_eq!(own_domain("mail.acme.co.za"), Some("acme.co.za"));
        assert_eq!(own_domain("yahoo.co.za"), None);
    }

    #[test]
    fn tables_are_sorted() {
        assert!(SHARED_DOMAINS.is_sorted());
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(text in "\\PC{0,40}|(https?:/{0,3})?(www\\.)?[a-zA-Z0-9.-]{0,12}\\.(com|co\\.za|de)(:[0-9]{0,4})?[/?#a-z.=&;]{0,12}") {
            if let Ok(web) = parse_web(&text) {
                let again = apply(&web.url);
                prop_assert_eq!(again.0, Outcome::Same, "{} -> {}", web.url, again.1);
            }
            let _ = web_identity(&text);
        }

        #[test]
        fn the_fast_path_gives_what_the_slow_one_does(text in "(https?://)?(www\\.)?[a-z0-9.-]{0,9}\\.(com|co\\.za|de)(/[a-zA-Z0-9/@%+~_-]{0,9})?") {
            let (mut quick, mut quick_counts) = (String::new(), RuleCounts::default());
            if let Some(outcome) = plain(&text, &mut quick, &mut quick_counts) {
                let (mut slow, mut slow_counts) = (String::new(), RuleCounts::default());
                prop_assert_eq!(canonical(&text, &mut slow, &mut slow_counts), Ok(()), "{}", text);
                prop_assert_eq!(if outcome == Outcome::Same { &text } else { &quick }, &slow);
                prop_assert_eq!(quick_counts.iter().collect::<Vec<_>>(), slow_counts.iter().collect::<Vec<_>>());
            }
        }
    }
}
