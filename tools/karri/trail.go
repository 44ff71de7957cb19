package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"karri/shared/sign"
)

func verifyTrail(set *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "verify NAME",
		Short: "Verify the files of a trail by its signed digests",
		Long: `Verifies that the files that a trail has written into its bucket are there and
are those that were written, by the digests that the trail writes each hour when
log file validation is on (aws cloudtrail create-trail --enable-log-file-validation).
Events since the last digest are in none yet.

The bucket is read with your own keys. The exit code is 0 when nothing is wrong.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := set.connect()
			if err != nil {
				return err
			}
			r, err := c.verifyTrail(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			for _, p := range r.Problems {
				fmt.Fprintln(os.Stdout, p)
			}
			fmt.Fprintf(os.Stdout, "%d digests and %d files were verified, %d problems\n", r.Digests, r.Files, len(r.Problems))
			if len(r.Problems) > 0 {
				return errors.New("the trail is not whole")
			}
			return nil
		},
	}
}

// trailReport is what was found.
type trailReport struct {
	Digests, Files int
	Problems       []string
}

func (c *client) verifyTrail(ctx context.Context, name string) (*trailReport, error) {
	if c.endpointS3 == "" {
		return nil, fmt.Errorf("%s is needed, to read the bucket", envEndpointS3)
	}
	out, err := c.call(ctx, "cloudtrail", "GetTrail", map[string]any{"Name": name})
	if err != nil {
		return nil, err
	}
	trail, _ := out["Trail"].(map[string]any)
	text := func(k string) string { s, _ := trail[k].(string); return s }
	arn := strings.Split(text("TrailARN"), ":")
	if len(arn) != 6 {
		return nil, fmt.Errorf("%q is no ARN of a trail", text("TrailARN"))
	}
	v := &verifier{bucket: text("S3BucketName"), get: c.object, keys: map[string]*rsa.PublicKey{}}
	status, err := c.call(ctx, "cloudtrail", "GetTrailStatus", map[string]any{"Name": name})
	if err != nil {
		return nil, err
	}
	v.delivered, _ = time.Parse(time.RFC3339, fmt.Sprint(status["LatestDigestDeliveryTime"]))
	if err := c.trailKeys(ctx, v.keys); err != nil {
		return nil, err
	}
	prefix := strings.TrimPrefix(text("S3KeyPrefix")+"/", "/") + "AWSLogs/" + arn[4] + "/CloudTrail-Digest/" + arn[3] + "/"
	all, err := c.objects(ctx, v.bucket, prefix)
	if err != nil {
		return nil, err
	}
	for _, key := range all {
		if strings.Contains(key, "/"+arn[4]+"_CloudTrail-Digest_"+arn[3]+"_"+text("Name")+"_"+arn[3]+"_") {
			v.listed = append(v.listed, key)
		}
	}
	return v.run(ctx)
}

// trailKeys reads the keys that sign digests, all of them.
func (c *client) trailKeys(ctx context.Context, keys map[string]*rsa.PublicKey) error {
	in := map[string]any{"StartTime": time.Unix(0, 0).UTC().Format(time.RFC3339), "EndTime": time.Now().UTC().Add(time.Hour).Format(time.RFC3339)}
	out, err := c.call(ctx, "cloudtrail", "ListPublicKeys", in)
	if err != nil {
		return err
	}
	list, _ := out["PublicKeyList"].([]any)
	for _, one := range list {
		k, _ := one.(map[string]any)
		der, err := base64.StdEncoding.DecodeString(fmt.Sprint(k["Value"]))
		if err != nil {
			return fmt.Errorf("a public key: %w", err)
		}
		key, err := x509.ParsePKCS1PublicKey(der)
		if err != nil {
			return fmt.Errorf("a public key: %w", err)
		}
		keys[fmt.Sprint(k["Fingerprint"])] = key
	}
	return nil
}

var errGone = errors.New("gone")

// object reads an object; errGone when there is none.
func (c *client) object(ctx context.Context, bucket, key string) ([]byte, http.Header, error) {
	return c.s3(ctx, "/"+bucket+"/"+key, nil)
}

func (c *client) s3(ctx context.Context, path string, query url.Values) ([]byte, http.Header, error) {
	u, err := url.Parse(strings.TrimSuffix(c.endpointS3, "/"))
	if err != nil {
		return nil, nil, err
	}
	u.Path, u.RawQuery = path, query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	if err := sign.Request(r, c.keys, sign.Scope{Region: c.region, Service: "s3", At: time.Now()}, ""); err != nil {
		return nil, nil, err
	}
	status, b, h, err := c.do(r)
	switch {
	case err == nil && status == http.StatusNotFound:
		err = errGone
	case err == nil && status != http.StatusOK:
		err = fmt.Errorf("%s answers %d: %.300s", path, status, b)
	}
	return b, h, err
}

// objects lists the keys with a prefix, in order.
func (c *client) objects(ctx context.Context, bucket, prefix string) (all []string, err error) {
	for q := (url.Values{"list-type": {"2"}, "prefix": {prefix}}); ; {
		b, _, err := c.s3(ctx, "/"+bucket, q)
		if err != nil {
			return nil, fmt.Errorf("list the bucket %s: %w", bucket, err)
		}
		var page struct {
			Contents []struct{ Key string }
			Next     string `xml:"NextContinuationToken"`
		}
		if err := xml.Unmarshal(b, &page); err != nil {
			return nil, fmt.Errorf("list the bucket %s: %w", bucket, err)
		}
		for _, o := range page.Contents {
			all = append(all, o.Key)
		}
		if page.Next == "" {
			return all, nil
		}
		q.Set("continuation-token", page.Next)
	}
}

// A trailDigest is a digest as it is in the bucket.
type trailDigest struct {
	End               time.Time `json:"digestEndTime"`
	Bucket            string    `json:"digestS3Bucket"`
	Object            string    `json:"digestS3Object"`
	Fingerprint       string    `json:"digestPublicKeyFingerprint"`
	PreviousBucket    *string   `json:"previousDigestS3Bucket"`
	PreviousObject    *string   `json:"previousDigestS3Object"`
	PreviousHash      *string   `json:"previousDigestHashValue"`
	PreviousSignature *string   `json:"previousDigestSignature"`
	Files             []struct {
		Bucket string `json:"s3Bucket"`
		Object string `json:"s3Object"`
		Hash   string `json:"hashValue"`
	} `json:"logFiles"`
}

// unpack undoes gzip, up to a bound.
func unpack(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = errors.New("it is too large")
	}
	return text, err
}

// parseDigest reads a digest and checks its signature; hash is that of the text.
func parseDigest(packed []byte, signature string, keys map[string]*rsa.PublicKey) (d *trailDigest, hash string, err error) {
	text, err := unpack(packed)
	if err != nil {
		return nil, "", err
	}
	var end struct {
		Text string `json:"digestEndTime"`
	}
	d = &trailDigest{}
	if err := errors.Join(json.Unmarshal(text, d), json.Unmarshal(text, &end)); err != nil {
		return nil, "", err
	}
	key := keys[d.Fingerprint]
	if key == nil {
		return nil, "", fmt.Errorf("the cloud has no key %.40q", d.Fingerprint)
	}
	last := "null"
	if d.PreviousSignature != nil {
		last = *d.PreviousSignature
	}
	sum := sha256.Sum256(text)
	hash = hex.EncodeToString(sum[:])
	sum = sha256.Sum256([]byte(end.Text + "\n" + d.Bucket + "/" + d.Object + "\n" + hash + "\n" + last))
	raw, err := hex.DecodeString(signature)
	if err == nil {
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw)
	}
	if err != nil {
		return nil, "", errors.New("its signature is wrong")
	}
	return d, hash, nil
}

// A verifier goes from the newest digest to the oldest.
type verifier struct {
	bucket    string
	listed    []string // keys of digests in the bucket
	delivered time.Time
	keys      map[string]*rsa.PublicKey
	get       func(ctx context.Context, bucket, key string) ([]byte, http.Header, error)

	trailReport
	hash, signature string // that the digest after has of this one
}

func (v *verifier) say(format string, args ...any) {
	v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
}

func (v *verifier) run(ctx context.Context) (*trailReport, error) {
	slices.Sort(v.listed)
	bucket, key := v.bucket, ""
	seen := map[string]bool{}
	if len(v.listed) == 0 && !v.delivered.IsZero() {
		v.say("digests were delivered until %s, but there is none", v.delivered.Format(time.RFC3339))
	}
	for first := true; ; first = false {
		if key == "" { // none is named: the newest that was not looked at
			for len(v.listed) > 0 && seen[v.listed[len(v.listed)-1]] {
				v.listed = v.listed[:len(v.listed)-1]
			}
			if len(v.listed) == 0 {
				return &v.trailReport, nil
			}
			bucket, key, v.hash, v.signature = v.bucket, v.listed[len(v.listed)-1], "", ""
		}
		if seen[key] {
			key = ""
			continue
		}
		seen[key] = true
		d, err := v.digest(ctx, bucket, key)
		if err != nil {
			return nil, err
		}
		if key = ""; d == nil {
			continue
		}
		if first && v.delivered.Sub(d.End) > time.Hour {
			v.say("the newest digest ends at %s, but one was delivered at %s: newer ones are gone", d.End.Format(time.RFC3339), v.delivered.Format(time.RFC3339))
		}
		if d.PreviousObject != nil && d.PreviousBucket != nil && d.PreviousHash != nil && d.PreviousSignature != nil {
			bucket, key, v.hash, v.signature = *d.PreviousBucket, *d.PreviousObject, *d.PreviousHash, *d.PreviousSignature
		}
	}
}

// digest verifies one digest and its files; nil when it is no good.
func (v *verifier) digest(ctx context.Context, bucket, key string) (*trailDigest, error) {
	b, h, err := v.get(ctx, bucket, key)
	if errors.Is(err, errGone) {
		v.say("the digest %s/%s is gone", bucket, key)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	signature := h.Get("X-Amz-Meta-Signature")
	d, hash, err := parseDigest(b, signature, v.keys)
	if err != nil {
		v.say("the digest %s/%s is no good: %v", bucket, key, err)
		return nil, nil
	}
	if d.Bucket != bucket || d.Object != key {
		v.say("the digest %s/%s is that of %s/%s", bucket, key, d.Bucket, d.Object)
	}
	if v.hash != "" && (hash != v.hash || !hmac.Equal([]byte(signature), []byte(v.signature))) {
		v.say("the digest %s/%s is not the one that the next digest names", bucket, key)
	}
	v.Digests++
	for _, f := range d.Files {
		b, _, err := v.get(ctx, f.Bucket, f.Object)
		if err != nil && !errors.Is(err, errGone) {
			return nil, err
		}
		if err != nil {
			v.say("the file %s/%s is gone", f.Bucket, f.Object)
			continue
		}
		text, err := unpack(b)
		if sum := sha256.Sum256(text); err != nil || hex.EncodeToString(sum[:]) != f.Hash {
			v.say("the file %s/%s was changed", f.Bucket, f.Object)
			continue
		}
		v.Files++
	}
	return d, nil
}
