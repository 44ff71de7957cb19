package ledger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"time"

	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/crash"
	"karri/shared/fault"
)

const algorithm = "SHA256withRSA"

// A digest names the files of a trail since the last one, with their hashes, and
// the last digest with its hash and signature: so a file or a digest that is
// changed or removed shows. Its own signature is beside it, in the metadata.
type digest struct {
	Account           string       `json:"awsAccountId"`
	Start             string       `json:"digestStartTime"`
	End               string       `json:"digestEndTime"`
	Bucket            string       `json:"digestS3Bucket"`
	Object            string       `json:"digestS3Object"`
	Fingerprint       string       `json:"digestPublicKeyFingerprint"`
	Algorithm         string       `json:"digestSignatureAlgorithm"`
	Newest            *string      `json:"newestEventTime"`
	Oldest            *string      `json:"oldestEventTime"`
	PreviousBucket    *string      `json:"previousDigestS3Bucket"`
	PreviousObject    *string      `json:"previousDigestS3Object"`
	PreviousHash      *string      `json:"previousDigestHashValue"`
	PreviousAlgorithm *string      `json:"previousDigestHashAlgorithm"`
	PreviousSignature *string      `json:"previousDigestSignature"`
	Files             []digestFile `json:"logFiles"`
}

type digestFile struct {
	Bucket    string `json:"s3Bucket"`
	Object    string `json:"s3Object"`
	Hash      string `json:"hashValue"`
	Algorithm string `json:"hashAlgorithm"`
	Newest    string `json:"newestEventTime"`
	Oldest    string `json:"oldestEventTime"`
}

// digest writes the next digest of a trail, if one is due. What it names, its
// name and its time are written down before it, and its signature follows from
// them: after a crash the same one is put once more.
func (e *Exporter) digest(ctx context.Context, t store.Trail) error {
	if !t.Proven || t.DigestFrom == nil || t.DigestFailure != "" && t.DigestTried != nil && e.Clock().Sub(*t.DigestTried) < e.Every {
		return nil
	}
	if t.DigestObject == "" {
		if due, err := e.chooseDigest(ctx, &t); err != nil || !due {
			return err
		}
	}
	crash.Here("cloudctl.ledger.digest-chosen")
	text, sign, err := e.makeDigest(ctx, &t)
	if err != nil {
		return err
	}
	body, err := pack(text)
	if err != nil {
		return err
	}
	failed := e.Buckets.Deliver(ctx, bucket.Delivery{Bucket: t.Bucket, Key: t.DigestObject, Type: "application/x-gzip", Body: body, Service: Service, Source: t.ARN, Account: t.Account,
		Meta: map[string]string{"Signature": sign, "Signature-Algorithm": algorithm}})
	crash.Here("cloudctl.ledger.digest-written")
	sum := sha256.Sum256(text)
	return e.changeDigest(ctx, t, func(tx *store.Tx, now *store.Trail) error {
		at := e.Clock()
		if now.DigestTried = &at; failed != nil {
			now.DigestFailure = fault.CodeOf(failed)
			return nil
		}
		now.LastBucket, now.LastObject, now.LastHash, now.LastSignature = t.Bucket, t.DigestObject, hex.EncodeToString(sum[:]), sign
		now.DigestDelivered, now.DigestFailure, now.DigestFrom, now.DigestTo, now.DigestObject = &at, "", t.DigestTo, nil, ""
		return tx.Digested(t.ARN, t.DigestObject)
	})
}

// chooseDigest decides what the next digest names and what it is called. A
// trail that is stopped has one more, if there are files.
func (e *Exporter) chooseDigest(ctx context.Context, t *store.Trail) (due bool, err error) {
	to := e.Clock().UTC().Truncate(time.Second)
	if to.Sub(*t.DigestFrom) < cmp.Or(e.Digests, time.Hour) {
		return false, nil
	}
	t.DigestTo = &to
	t.DigestObject = path.Join(t.Prefix, "AWSLogs", t.Account, "CloudTrail-Digest", e.Region, to.Format("2006/01/02"),
		t.Account+"_CloudTrail-Digest_"+e.Region+"_"+t.Name+"_"+e.Region+"_"+to.Format("20060102T150405Z")+".json.gz")
	old := *t
	old.DigestObject = ""
	return due, e.changeDigest(ctx, old, func(tx *store.Tx, now *store.Trail) error {
		if !now.Logging {
			if files, err := tx.TrailFiles(t.ARN, ""); err != nil || len(files) == 0 {
				return err
			}
		}
		due = true
		now.DigestTo, now.DigestObject = t.DigestTo, t.DigestObject
		return tx.Digest(t.ARN, t.DigestObject)
	})
}

// changeDigest changes a trail whose digest is still the one that was meant.
func (e *Exporter) changeDigest(ctx context.Context, old store.Trail, how func(*store.Tx, *store.Trail) error) error {
	return e.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := tx.Trail(old.Account, old.Name)
		if err != nil || !now.Created.Equal(old.Created) || !now.Proven || now.DigestObject != old.DigestObject || now.LastObject != old.LastObject {
			return err
		}
		if err := how(tx, now); err != nil {
			return err
		}
		return tx.Put(now)
	})
}

// makeDigest makes the digest of a trail that was chosen, and its signature.
func (e *Exporter) makeDigest(ctx context.Context, t *store.Trail) (text []byte, sign string, err error) {
	var files []store.TrailFile
	err = e.Store.View(ctx, func(tx *store.Tx) error {
		files, err = tx.TrailFiles(t.ARN, t.DigestObject)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	key, id, err := e.Signer.key(ctx)
	if err != nil {
		return nil, "", err
	}
	stamp := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
	d := digest{Account: t.Account, Start: stamp(*t.DigestFrom), End: stamp(*t.DigestTo), Bucket: t.Bucket, Object: t.DigestObject, Fingerprint: id, Algorithm: algorithm, Files: []digestFile{}}
	last := "null"
	if t.LastObject != "" {
		sha := "SHA-256"
		d.PreviousBucket, d.PreviousObject, d.PreviousHash, d.PreviousAlgorithm, d.PreviousSignature = &t.LastBucket, &t.LastObject, &t.LastHash, &sha, &t.LastSignature
		last = t.LastSignature
	}
	var oldest, newest time.Time
	for i, f := range files {
		d.Files = append(d.Files, digestFile{Bucket: f.Bucket, Object: f.Object, Hash: f.Hash, Algorithm: "SHA-256", Newest: stamp(f.Newest), Oldest: stamp(f.Oldest)})
		if i == 0 || f.Oldest.Before(oldest) {
			oldest = f.Oldest
		}
		if f.Newest.After(newest) {
			newest = f.Newest
		}
	}
	if len(files) > 0 {
		first, end := stamp(oldest), stamp(newest)
		d.Oldest, d.Newest = &first, &end
	}
	if text, err = json.Marshal(d); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(text)
	sign, err = signature(key, d.End+"\n"+d.Bucket+"/"+d.Object+"\n"+hex.EncodeToString(sum[:])+"\n"+last)
	return text, sign, err
}
