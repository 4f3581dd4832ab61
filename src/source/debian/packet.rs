//! OpenPGP packets in a row, before they mean anything (RFC 9580, section 4).

use pgp::packet::{PacketHeader, Signature};
use pgp::types::{PacketLength, Tag};

/// The most packets of one file; Debian's whole keyring has about 300.
const MOST: usize = 10_000;

/// Cuts bytes into packets: each header with its body, and nothing left over.
///
/// Packets of unknown length, which only encrypted and literal data need, are refused.
pub(super) fn split(mut bytes: &[u8]) -> Result<Vec<(PacketHeader, &[u8])>, &'static str> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let header = PacketHeader::try_from_reader(&mut bytes).map_err(|_| "an OpenPGP packet has no valid header")?;
        let PacketLength::Fixed(length) = header.packet_length() else {
            return Err("an OpenPGP packet does not say how long it is");
        };
        let body = usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length));
        let (body, rest) = body.ok_or("an OpenPGP packet is cut off")?;
        bytes = rest;
        packets.push((header, body));
        if packets.len() > MOST {
            return Err("there are more than 10000 OpenPGP packets");
        }
    }
    Ok(packets)
}

/// Reads a signature packet that fills its body.
pub(super) fn signature(header: PacketHeader, mut body: &[u8]) -> Option<Signature> {
    let signature = (header.tag() == Tag::Signature).then(|| Signature::try_from_reader(header, &mut body).ok())??;
    body.is_empty().then_some(signature)
}
