package ec2

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"karri/shared/fault"
)

func FuzzImportedKey(f *testing.F) {
	for _, s := range []string{
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me", "ssh-rsa AAAA", "",
		"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----", "command=\"x\" ssh-ed25519 AAAA", "ssh-ed25519 AAAA\nssh-ed25519 AAAA",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, material []byte) {
		k, err := importedKey(material)
		if err != nil {
			if fault.CodeOf(err) != "InvalidKey.Format" {
				t.Errorf("%q: %v", material, err)
			}
			return
		}
		if _, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(k.Public)); err != nil || len(options)+len(rest) > 0 || strings.ContainsAny(k.Public, "\r\n") {
			t.Errorf("%q was taken for %q: %v", material, k.Public, err)
		}
	})
}

func FuzzDevice(f *testing.F) {
	for _, s := range []string{"/dev/sdf", "xvdba", "/dev/sda1", "../x", "/dev/sdf\n", "vdz99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := checkDevice(s)
		if err == nil && (len(d) > 12 || !strings.HasPrefix(d, "/dev/") || strings.ContainsAny(d[5:], "/.\n\x00")) {
			t.Errorf("%q became %q", s, d)
		}
	})
}
