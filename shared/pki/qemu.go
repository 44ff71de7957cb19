package pki

import (
	"errors"
	"os"
	"path/filepath"

	"karri/shared/durable"
)

// QEMU writes the credentials under the names that QEMU looks for in the
// folder of a tls-creds-x509 object; end is "client" or "server". A uid that is
// not negative gets the files, and the group may read them. QEMU checks its own certificate without the
// chain beside it, so the authorities between it and the root are put with the
// root; a server writes it all in its own folder, where it trusts nobody more
// by it: those authorities vouch for it already.
func (c *Credentials) QEMU(dir, end string, uid, gid int) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	key, err := keyPEM(c.Key)
	if err != nil {
		return err
	}
	roots := c.RootPEM()
	for _, up := range c.Chain[1:] {
		roots = append(roots, encode("CERTIFICATE", up.Raw)...)
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"ca-cert.pem", roots}, {end + "-key.pem", key}, {end + "-cert.pem", c.ChainPEM()}} {
		path := filepath.Join(dir, f.name)
		if err := durable.WriteFile(path, f.text, 0o600); err != nil {
			return err
		}
		if uid >= 0 {
			err = errors.Join(err, os.Chown(path, uid, gid), os.Chmod(path, 0o640))
		}
	}
	if uid >= 0 {
		err = errors.Join(err, os.Chown(dir, uid, gid), os.Chmod(dir, 0o750))
	}
	return err
}
