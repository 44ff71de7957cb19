// Package seal encrypts the bytes of objects at rest.
//
// Each object, or upload, has a random key of its own. Its envelope, which
// stands in its row, holds that key wrapped: under one of the master keys
// (SSE-S3), or under the key that the customer sends with each request
// (SSE-C), which is stored nowhere; that it unwraps is the only proof of it
// that there is. A copy of a row may share its pieces and its envelope. A new
// master key rewraps envelopes and touches no bytes.
//
// A sealed piece is a random salt and blocks of AES-256-GCM, under a key made
// of the object's and the salt: no two pieces share a key, so the number of the
// block is its nonce. The nonce also says whether the block is the last.
// Therefore a range opens only the blocks that it touches, and a block that is
// altered, moved, taken away or cut off does not open. Memory is one block.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"karri/shared/fault"
)

// Modes of an envelope.
const (
	Master   = "S3" // under a master key
	Customer = "C"  // under the customer's key
)

// An Envelope is what is kept with an object that is sealed.
type Envelope struct {
	Mode string `json:"mode"`
	By   string `json:"by,omitempty"` // the id of the master key
	Salt []byte `json:"salt"`
	Key  []byte `json:"key"` // the object's key, wrapped
}

// What is wrong with what is sealed, or with the key that was given for it.
var (
	Tampered  = fault.New(fault.Broken, "InternalError", "The sealed bytes are damaged.")
	WrongKey  = fault.New(fault.Denied, "AccessDenied", "Access Denied")
	NoMaster  = fault.New(fault.Broken, "InternalError", "The master key that this is sealed under is not there.")
	errSealed = fault.New(fault.Broken, "InternalError", "The envelope cannot be read.")
)

const (
	keySize  = 32
	saltSize = 32
	tagSize  = 16
)

// A Key is an object's key. It never shows itself.
type Key struct{ secret [keySize]byte }

// String hides the key from logs; so does Format for every verb.
func (Key) String() string { return "(a key)" }

// Format implements fmt.Formatter.
func (Key) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("(a key)")) }

// ETag returns what stands for the MD5 of the bytes where that must not be
// shown: the same for the same bytes under the same key, and 32 digits long.
func (k *Key) ETag(md5 []byte) string {
	h := hmac.New(sha256.New, k.secret[:])
	_, _ = h.Write(append([]byte("karri etag"), md5...)) // hashes never fail
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// wrap makes an envelope of a fresh object key under another key.
func wrap(under [keySize]byte, mode, by string) (*Envelope, *Key) {
	k := &Key{}
	_, _ = rand.Read(k.secret[:]) // it never fails
	return k.wrap(under, mode, by), k
}

func (k *Key) wrap(under [keySize]byte, mode, by string) *Envelope {
	e := &Envelope{Mode: mode, By: by, Salt: make([]byte, saltSize)}
	_, _ = rand.Read(e.Salt) // it never fails
	e.Key = cipherOf(under, e.Salt, "karri wrap").Seal(nil, make([]byte, 12), k.secret[:], e.about())
	return e
}

// unwrap returns the object's key, or false when it was not under this one.
func (e *Envelope) unwrap(under [keySize]byte) (*Key, bool) {
	b, err := cipherOf(under, e.Salt, "karri wrap").Open(nil, make([]byte, 12), e.Key, e.about())
	if err != nil || len(b) != keySize {
		return nil, false
	}
	k := &Key{}
	copy(k.secret[:], b)
	return k, true
}

// about is what the wrapping binds the key to.
func (e *Envelope) about() []byte { return []byte(e.Mode + "\x00" + e.By) }

// cipherOf returns AES-256-GCM under a key that is made of another.
func cipherOf(under [keySize]byte, salt []byte, use string) cipher.AEAD {
	derived, err := hkdf.Key(sha256.New, under[:], salt, use, keySize)
	if err != nil {
		panic(err) // only a length that is too long fails
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		panic(err) // only a key of a wrong size fails
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only a cipher of a wrong size fails
	}
	return aead
}

// nonce is of a block of a piece.
func nonce(block int64, last bool) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n[3:], uint64(block))
	if last {
		n[11] = 1
	}
	return n
}
