//! The stored form of a device identity (SPEC §12.2): `vec(address) || IKs.seed || IKd.secret`.

use super::{Address, DeviceIdentity, Error};
use crate::crypto::Secret;
use crate::wire::{Reader, Writer};

impl DeviceIdentity {
    /// Writes the stored form. The public halves follow from the private ones.
    pub(crate) fn write(&self, writer: &mut Writer) {
        self.public.address.write(writer);
        writer
            .bytes(self.signing.seed().expose())
            .bytes(self.dh.secret().expose());
    }

    /// Reads the stored form.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let address = Address::read(reader)?;
        let seed = Secret::new(*reader.array()?);
        let dh = Secret::new(*reader.array()?);
        Self::from_secrets(address, &seed, dh)
    }
}
