//! Which extended attributes belong to an image.

/// The key of an extended attribute in a pax header: this, then its name, as GNU tar, star and Go write it.
pub(super) const PAX_PREFIX: &str = "SCHILY.xattr.";

/// Whether an attribute of somebody's archive is let through.
///
/// File capabilities and what users set themselves are content. Everything else is a policy of the machine that made the
/// archive (security labels, access control lists, which name that machine's users) or the working state of an overlay file
/// system or a container engine.
pub(super) fn allowed(name: &str) -> bool {
    name == "security.capability"
        || name
            .strip_prefix("user.")
            .is_some_and(|rest| !rest.starts_with("overlay.") && !rest.starts_with("containers."))
}

/// Says what keeps attributes from being written: Linux's limits (xattr(7)), pax's grammar, or their order.
pub(super) fn check(xattrs: &[(String, Vec<u8>)]) -> Result<(), &'static str> {
    for (name, value) in xattrs {
        if name.is_empty() || name.len() > 255 || name.contains(|c: char| c == '=' || c.is_control()) {
            return Err(
                "an extended attribute's name is empty, longer than 255 bytes, or has `=` or a control character in it",
            );
        }
        if value.len() > 65_536 {
            return Err("an extended attribute has more than 65536 bytes");
        }
    }
    if xattrs.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err("its extended attributes are not sorted by name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_passes_and_policy_does_not() {
        for name in ["security.capability", "user.mime_type"] {
            assert!(allowed(name), "{name}");
        }
        for name in [
            "security.selinux",
            "security.capability2",
            "system.posix_acl_access",
            "trusted.overlay.opaque",
            "user.overlay.opaque",
            "user.containers.override_stat",
            "user",
        ] {
            assert!(!allowed(name), "{name}");
        }
    }
}
