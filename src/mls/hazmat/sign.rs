//! Signatures over structures that were changed.

use crate::mls::error::Error;
use crate::mls::group_info::GroupInfo;
use crate::mls::key_package::KeyPackage;
use crate::mls::labels::sign;
use crate::mls::leaf_node::{LeafNode, Place};
use crate::mls::math::LeafIndex;
use crate::mls::signature::Signer;

/// Signs a leaf anew, as it stands in a group; of a key package's, the place is not signed along.
///
/// # Errors
/// [`Error::Malformed`] if a field is longer than the encoding allows.
pub fn sign_leaf(
    leaf_node: &mut LeafNode,
    group_id: &[u8],
    leaf: LeafIndex,
    signer: &Signer,
) -> Result<(), Error> {
    leaf_node.sign(Place { group_id, leaf }, signer)
}

/// Signs a key package anew, and not its leaf.
///
/// # Errors
/// [`Error::Malformed`] if a field is longer than the encoding allows.
pub fn sign_key_package(key_package: &mut KeyPackage, signer: &Signer) -> Result<(), Error> {
    key_package.signature = signer.sign(sign::KEY_PACKAGE, &key_package.signed_bytes()?)?;
    Ok(())
}

/// Signs a group's information anew.
///
/// # Errors
/// [`Error::Malformed`] if a field is longer than the encoding allows.
pub fn sign_group_info(info: &mut GroupInfo, signer: &Signer) -> Result<(), Error> {
    let signed = GroupInfo::sign(
        info.group_context.clone(),
        info.extensions.clone(),
        info.confirmation_tag.clone(),
        info.signer,
        signer,
    )?;
    *info = signed;
    Ok(())
}
