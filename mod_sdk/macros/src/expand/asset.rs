//! Paths of a mod's own assets.

use proc_macro2::{Literal, TokenStream};
use quote::ToTokens;
use syn::LitStr;

use crate::manifest::Manifest;

/// `own_asset!`: the path as a literal, so that it can stand wherever one can.
pub(crate) fn expand(path: &LitStr, manifest: &Manifest) -> TokenStream {
    let Manifest { folder, identity, .. } = manifest;
    let mut whole = Literal::string(&format!("{folder}/{}/{}", identity.id, path.value()));
    whole.set_span(path.span());
    whole.into_token_stream()
}
