package metadata

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"karri/shared/durable"
	"karri/shared/id"
)

const (
	keyBytes   = 32
	nonceBytes = 8
	tokenBytes = 8 + nonceBytes + sha256.Size
)

// readKey returns the key of the tokens, made on first use.
func readKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) != keyBytes {
		return nil, fmt.Errorf("key of metadata tokens %s: %d bytes instead of %d", path, len(key), keyBytes)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	key = make([]byte, keyBytes)
	rand.Read(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("key of metadata tokens: %w", err)
	}
	if err := durable.WriteFile(path, key, 0o600); err != nil {
		return nil, fmt.Errorf("key of metadata tokens: %w", err)
	}
	return key, nil
}

// newToken returns a token that an instance may show until a time.
func newToken(key []byte, i id.Instance, until time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	b = append(b, make([]byte, nonceBytes)...)
	rand.Read(b[8:])
	return base64.RawURLEncoding.EncodeToString(append(b, seal(key, i, b)...))
}

// validToken reports whether a token was given to the instance and still holds.
func validToken(key []byte, i id.Instance, token string, now time.Time) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != tokenBytes {
		return false
	}
	head, mac := b[:8+nonceBytes], b[8+nonceBytes:]
	until := time.Unix(int64(binary.BigEndian.Uint64(head)), 0)
	return hmac.Equal(mac, seal(key, i, head)) && now.Before(until)
}

func seal(key []byte, i id.Instance, head []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("karri metadata token 1\x00" + string(i) + "\x00"))
	h.Write(head)
	return h.Sum(nil)
}
