//! Which addresses outgoing requests may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kernel::{App, Error, Result};

/// Resolves a host and gives an address that may be reached; refuses private ones unless the configuration allows them.
///
/// The request must go to the address that is given: a name may resolve to another one the next time.
pub async fn permitted_address(app: &App, host: &str, port: u16) -> Result<IpAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let unknown = || Error::bad_request(format!("{bare} can't be resolved; check the name"));
    let found: Vec<IpAddr> =
        tokio::net::lookup_host((bare, port)).await.map_err(|_| unknown())?.map(|a| a.ip()).collect();
    let first = *found.first().ok_or_else(unknown)?;
    if !app.config().allow_private_addresses && found.iter().any(|a| !is_public(*a)) {
        return Err(Error::bad_request(format!(
            "{bare} leads to a private address; an administrator can allow that (allow_private_addresses)"
        )));
    }
    Ok(first)
}

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

/// The IPv4 address inside a mapped, translated (64:ff9b::/96) or 6to4 address.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

fn is_public_v4(a: Ipv4Addr) -> bool {
    let [first, second, third, _] = a.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let protocol = first == 192 && second == 0 && third == 0;
    let benchmark = first == 198 && (second == 18 || second == 19);
    !(a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_multicast()
        || a.is_documentation()
        || first == 0
        || first >= 240
        || shared
        || protocol
        || benchmark)
}

fn is_public_v6(a: Ipv6Addr) -> bool {
    // Only 2000::/3 is handed out; in it, 2001:db8::/32 is for documentation and 2001::/23 for protocols.
    let s = a.segments();
    (0x2000..0x4000).contains(&s[0]) && !(s[0] == 0x2001 && (s[1] == 0xdb8 || s[1] < 0x200))
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
