// Package mfa is the second factor: devices that show a code of six digits
// which is good for half a minute (RFC 6238), as the apps of phones do.
//
// A device's seed is sealed by the vault; with it is kept by how much the clock
// of the device is off, measured whenever two codes in a row are shown. A code
// is taken once: the row remembers the time step of the newest one, and the
// caller writes the row in the transaction that acts on the code, so that a
// crash leaves either both or none.
package mfa

import (
	"bytes"
	"crypto/hmac"
	"encoding/base32"
	"fmt"
	"image/png"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"karri/cloudctl/store"
)

const (
	period    = 30 // seconds of a step
	seedBytes = 20
	tolerance = 1  // steps that a device may be off, both ways
	search    = 60 // steps within which two codes in a row are looked for
	qrSize    = 300
)

// A Vault seals seeds.
type Vault interface {
	Seal(name, secret string) []byte
	Unseal(name string, sealed []byte) (string, error)
}

// NewSeed returns a fresh seed in base32.
func NewSeed(random io.Reader) (string, error) {
	b := make([]byte, seedBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", err
	}
	return base32.StdEncoding.EncodeToString(b), nil
}

// QR returns the seed as the picture that apps read, in PNG: device is what
// they show it as, beside the issuer.
func QR(seed, issuer, device string) ([]byte, error) {
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + device,
		RawQuery: url.Values{"secret": {seed}, "issuer": {issuer}}.Encode()}
	key, err := otp.NewKeyFromURL(u.String())
	if err != nil {
		return nil, err
	}
	img, err := key.Image(qrSize, qrSize)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, img)
	return b.Bytes(), err
}

// Seal puts a seed into a device's row.
func Seal(v Vault, d *store.MFADevice, seed string) { seal(v, d, seed, 0) }

func seal(v Vault, d *store.MFADevice, seed string, drift int64) {
	d.Sealed = v.Seal(d.Serial, fmt.Sprintf("%s %d", seed, drift))
}

func unseal(v Vault, d *store.MFADevice) (seed string, drift int64, err error) {
	text, err := v.Unseal(d.Serial, d.Sealed)
	if err != nil {
		return "", 0, err
	}
	seed, off, _ := strings.Cut(text, " ")
	drift, err = strconv.ParseInt(off, 10, 64)
	return seed, drift, err
}

// Take reports whether code is one that the device shows now and that was not
// taken before. It notes the code in the row, which the caller writes. After ten
// wrong codes it takes none for five minutes.
func Take(v Vault, d *store.MFADevice, code string, now time.Time) (bool, error) {
	if guessing.shut(d.Serial, now) {
		return false, nil
	}
	ok, err := take(v, d, code, now)
	if err == nil {
		guessing.note(d.Serial, ok, now)
	}
	return ok, err
}

func take(v Vault, d *store.MFADevice, code string, now time.Time) (bool, error) {
	seed, drift, err := unseal(v, d)
	if err != nil {
		return false, err
	}
	at := now.Unix()/period + drift
	for step := at - tolerance; step <= at+tolerance; step++ {
		ok, err := shows(seed, step, code)
		if err != nil {
			return false, err
		}
		if ok && step > d.Step {
			d.Step = step
			return true, nil
		}
	}
	return false, nil
}

// Sync reports whether the two codes are ones that the device shows in a row,
// about now, and neither was taken before. It notes in the row by how much the
// device's clock is off, and the newer code as taken.
func Sync(v Vault, d *store.MFADevice, first, second string, now time.Time) (bool, error) {
	seed, _, err := unseal(v, d)
	if err != nil {
		return false, err
	}
	at := now.Unix() / period
	for off := range int64(2*search + 1) {
		step := at + (off+1)/2*(1-2*(off%2)) // at, at-1, at+1, at-2, ...
		one, err := shows(seed, step, first)
		if err != nil {
			return false, err
		}
		if !one || step <= d.Step {
			continue
		}
		two, err := shows(seed, step+1, second)
		if err != nil {
			return false, err
		}
		if !two {
			continue
		}
		drift := step + 1 - at // the second code is the one shown now, or just before
		if drift >= -tolerance && drift <= tolerance {
			drift = 0
		}
		d.Step = step + 1
		seal(v, d, seed, drift)
		return true, nil
	}
	return false, nil
}

func shows(seed string, step int64, code string) (bool, error) {
	want, err := hotp.GenerateCodeCustom(seed, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	return hmac.Equal([]byte(want), []byte(code)), err
}

// CodeAt returns the code that a seed shows at a time.
func CodeAt(seed string, at time.Time) (string, error) {
	return hotp.GenerateCodeCustom(seed, uint64(at.Unix()/period), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}
