package ec2

import (
	"bytes"
	"crypto/ed25519"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

const (
	rsaBits    = 2048
	maxKeyName = 255
	maxKeyText = 16 << 10
)

// newKey makes a key pair and returns its record and the private half as PEM.
func newKey(typ string, random io.Reader) (*store.Key, string, error) {
	if random == nil {
		random = rand.Reader
	}
	switch typ {
	case "ed25519":
		public, private, err := ed25519.GenerateKey(random)
		if err != nil {
			return nil, "", err
		}
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			return nil, "", err
		}
		s, err := ssh.NewPublicKey(public)
		if err != nil {
			return nil, "", err
		}
		return &store.Key{Type: typ, Public: authorized(s), Fingerprint: fingerprintED25519(s)}, string(pem.EncodeToMemory(block)), nil
	case "rsa":
		private, err := rsa.GenerateKey(random, rsaBits)
		if err != nil {
			return nil, "", err
		}
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			return nil, "", err
		}
		s, err := ssh.NewPublicKey(&private.PublicKey)
		if err != nil {
			return nil, "", err
		}
		sum := sha1.Sum(der)
		text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
		return &store.Key{Type: typ, Public: authorized(s), Fingerprint: colons(sum[:])}, string(text), nil
	}
	return nil, "", invalid("Value (%s) for parameter keyType is invalid.", typ)
}

// importedKey reads the public half of a user's own key pair: an OpenSSH line
// or an RSA key in PEM.
func importedKey(material []byte) (*store.Key, error) {
	bad := fault.New(fault.Invalid, "InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	material = bytes.TrimSpace(material)
	if len(material) == 0 || len(material) > maxKeyText || bytes.ContainsAny(material, "\x00") {
		return nil, bad
	}
	var public ssh.PublicKey
	var comment string
	var err error
	if block, _ := pem.Decode(material); block != nil {
		public, err = pemKey(block)
	} else {
		var options []string
		var rest []byte
		public, comment, options, rest, err = ssh.ParseAuthorizedKey(material)
		if err == nil && len(options)+len(rest) > 0 {
			return nil, bad
		}
	}
	if err != nil {
		return nil, bad.Because(err)
	}
	key := &store.Key{Public: authorized(public)}
	if comment != "" {
		key.Public += " " + comment
	}
	switch public.Type() {
	case ssh.KeyAlgoED25519:
		key.Type, key.Fingerprint = "ed25519", fingerprintED25519(public)
	case ssh.KeyAlgoRSA:
		r, ok := public.(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
		if !ok || r.N.BitLen() < 1024 || r.N.BitLen() > 8192 {
			return nil, bad
		}
		der, err := x509.MarshalPKIXPublicKey(r)
		if err != nil {
			return nil, bad.Because(err)
		}
		sum := md5.Sum(der)
		key.Type, key.Fingerprint = "rsa", colons(sum[:])
	default:
		return nil, bad
	}
	return key, nil
}

func pemKey(block *pem.Block) (ssh.PublicKey, error) {
	switch block.Type {
	case "RSA PUBLIC KEY":
		k, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		return ssh.NewPublicKey(k)
	case "PUBLIC KEY":
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		return ssh.NewPublicKey(k)
	}
	return nil, fmt.Errorf("a PEM block of type %q", block.Type)
}

func authorized(k ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

func fingerprintED25519(k ssh.PublicKey) string {
	sum := sha256.Sum256(k.Marshal())
	return base64.StdEncoding.EncodeToString(sum[:])
}

func colons(b []byte) string { return strings.ReplaceAll(fmt.Sprintf("% x", b), " ", ":") }

// addKey writes the record of a key pair with its name and tags.
func (api *API) addKey(tx *store.Tx, who action.Caller, name string, key *store.Key, specs []TagSpecification) ([]Tag, error) {
	if name == "" || len(name) > maxKeyName || strings.TrimSpace(name) != name || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, invalid("Value (%s) for parameter keyName is invalid.", name)
	}
	tags, err := newTags(specs, "key-pair")
	if err != nil {
		return nil, err
	}
	if err := quota.Check(tx, who, quota.KeyPairs, 1); err != nil {
		return nil, err
	}
	key.ID, key.Account, key.Creator, key.Name, key.Created = id.New[id.Key](api.Rand), who.Account, quota.Creator(who), name, api.Clock()
	if err := tx.Add(key); err != nil {
		if store.Taken(err) {
			return nil, fault.New(fault.Conflict, "InvalidKeyPair.Duplicate", "The keypair '%s' already exists.", name)
		}
		return nil, err
	}
	if err := putTags(tx, who.Account, "key-pair", string(key.ID), tags["key-pair"]); err != nil {
		return nil, err
	}
	rows, err := tx.TagsOn(who.Account, string(key.ID))
	return tagSet(rows), err
}
