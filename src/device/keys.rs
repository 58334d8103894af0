//! The app's key, and the keys under which values are stored (SPEC §19.3).

use super::store::{KEY, Key};
use crate::crypto::hash::HmacKey;
use crate::crypto::labels;
use crate::state::AppKey;

/// What a device needs to find and to read its values.
pub(super) struct Keys {
    pub(super) app: AppKey,
    names: HmacKey,
}

impl Keys {
    pub(super) fn new(app: AppKey) -> Self {
        let names = HmacKey::new(app.secret().expose()).mac(&[labels::STORE_KEY]);
        Self {
            names: HmacKey::new(names.expose()),
            app,
        }
    }

    /// `HMAC(HMAC(app_key, L("store key")), u16 kind || name)[..16]`
    pub(super) fn derive(&self, kind: u16, name: &[u8]) -> Key {
        let mac = self.names.mac(&[&kind.to_be_bytes(), name]);
        let mut key = [0; KEY];
        for (to, from) in key.iter_mut().zip(mac.expose()) {
            *to = *from;
        }
        key
    }
}
