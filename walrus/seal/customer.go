package seal

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"

	"karri/shared/fault"
)

// A CustomerKey is what a request of SSE-C brings.
type CustomerKey struct {
	secret [keySize]byte
	md5    string
}

// What a request of SSE-C can be refused for.
var (
	BadAlgorithm = fault.New(fault.Invalid, "InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.")
	BadKey       = fault.New(fault.Invalid, "InvalidArgument", "The secret key was invalid for the specified algorithm.")
	BadKeyMD5    = fault.New(fault.Invalid, "InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided.")
	KeyMissing   = fault.New(fault.Invalid, "InvalidArgument", "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key, its MD5 hash and the algorithm.")
)

// ParseCustomerKey reads the values of the three headers.
func ParseCustomerKey(algorithm, key, sum string) (*CustomerKey, error) {
	switch {
	case algorithm == "" || key == "" || sum == "":
		return nil, KeyMissing
	case algorithm != "AES256":
		return nil, BadAlgorithm
	}
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(b) != keySize {
		return nil, BadKey
	}
	hash := md5.Sum(b)
	c := &CustomerKey{md5: base64.StdEncoding.EncodeToString(hash[:])}
	if !hmac.Equal([]byte(sum), []byte(c.md5)) {
		return nil, BadKeyMD5
	}
	copy(c.secret[:], b)
	return c, nil
}

// MD5 is what answers echo of the key.
func (c *CustomerKey) MD5() string { return c.md5 }

// New returns a fresh key and its envelope.
func (c *CustomerKey) New() (*Envelope, *Key) { return wrap(c.secret, Customer, "") }

// Rewrap returns an envelope for a key that another one held.
func (c *CustomerKey) Rewrap(k *Key) *Envelope { return k.wrap(c.secret, Customer, "") }

// Open returns the key in an envelope, or WrongKey.
func (c *CustomerKey) Open(e *Envelope) (*Key, error) {
	if e.Mode != Customer {
		return nil, errSealed
	}
	k, ok := e.unwrap(c.secret)
	if !ok {
		return nil, WrongKey
	}
	return k, nil
}
