// Package password keeps passwords as what they can be compared with and not
// read from: salted argon2id.
//
// A hash names its own cost, so that hashes made under an older cost still
// match. Each comparison takes some 20 MiB for some 30 ms; how many run at once
// is bounded, so that guessing cannot take the memory of the daemon. There is
// no state, so a crash loses nothing.
package password

import (
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	passes    = 2
	memoryKiB = 19 << 10
	lanes     = 1
	saltBytes = 16
	hashBytes = 32
)

// room lets as many comparisons run as it has places.
var room = make(chan struct{}, 4)

// Hash returns the hash of a password with a salt from random.
func Hash(random io.Reader, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", err
	}
	sum := derive(password, salt, passes, memoryKiB, lanes, hashBytes)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes, enc.EncodeToString(salt), enc.EncodeToString(sum)), nil
}

// Matches reports whether hash is one of the password. What is no hash matches
// nothing.
func Matches(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false
	}
	var memory, time uint32
	var threads uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil || memory > 1<<20 || time > 64 || time == 0 || threads == 0 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) != hashBytes {
		return false
	}
	return hmac.Equal(derive(password, salt, time, memory, threads, hashBytes), want)
}

func derive(password string, salt []byte, time, memory uint32, threads uint8, n uint32) []byte {
	room <- struct{}{}
	defer func() { <-room }()
	return argon2.IDKey([]byte(password), salt, time, memory, threads, n)
}
