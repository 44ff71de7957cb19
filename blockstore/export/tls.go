package export

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"

	"karri/shared/durable"
	"karri/shared/pki"
)

// Credentials writes a component's certificate, key and root under the names
// that QEMU looks for, for daemons that run as uid (negative: as we do).
// Daemons that run keep what they read at their start.
func Credentials(dir string, c *pki.Credentials, uid, gid int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"ca-cert.pem":     c.RootPEM(),
		"server-cert.pem": c.ChainPEM(),
		"server-key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		path := filepath.Join(dir, name)
		if err := durable.WriteFile(path, text, 0o600); err != nil {
			return err
		}
		if uid >= 0 {
			err = errors.Join(err, os.Chown(path, uid, gid))
		}
	}
	if uid >= 0 {
		err = errors.Join(err, os.Chown(dir, uid, gid))
	}
	return err
}
