package inventory

import (
	"bufio"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"karri/walrus/access"
	"karri/walrus/index"
	"karri/walrus/seal"
	"karri/walrus/setting"
)

// An entry is what a row shows.
type entry struct {
	*index.Object
	bucket    *index.Bucket
	lifecycle *setting.Lifecycle
}

// columns returns the columns of a list in their order.
func columns(v *setting.Inventory) []string {
	all := []string{"Bucket", "Key"}
	if v.Versions == setting.AllVersions {
		all = append(all, "VersionId", "IsLatest", "IsDeleteMarker")
	}
	if v.Fields != nil {
		for _, f := range v.Fields.Names {
			all = append(all, string(f))
		}
	}
	return all
}

const stamp = "2006-01-02T15:04:05.000Z"

// value returns what a row has in a column.
func (e *entry) value(column string) string {
	switch column {
	case "Bucket":
		return e.bucket.Name
	case "Key":
		return strings.ReplaceAll(url.QueryEscape(e.Key), "%2F", "/")
	case "VersionId":
		if e.Version == index.Null {
			return ""
		}
		return e.Version
	case "IsLatest":
		return strconv.FormatBool(e.Latest)
	case "IsDeleteMarker":
		return strconv.FormatBool(e.Marker)
	case "LastModifiedDate":
		return e.Modified.UTC().Format(stamp)
	case "ObjectOwner":
		if e.Owner != "" {
			return access.Canonical(e.Owner)
		}
		return access.Canonical(e.bucket.Owner)
	}
	if e.Marker {
		return ""
	}
	return e.ofBytes(column)
}

// ofBytes returns what a delete marker has not.
func (e *entry) ofBytes(column string) string {
	switch column {
	case "Size":
		return strconv.FormatInt(e.Size, 10)
	case "ETag":
		return e.ETag
	case "StorageClass":
		if v := e.Headers["x-amz-storage-class"]; v != "" {
			return v
		}
		return "STANDARD"
	case "IsMultipartUploaded":
		return strconv.FormatBool(e.Upload != "")
	case "ReplicationStatus":
		status, _, _ := strings.Cut(e.Replication, " ")
		return status
	case "EncryptionStatus":
		return encryption(e.Seal)
	case "BucketKeyStatus":
		return "DISABLED"
	case "ChecksumAlgorithm":
		return string(e.Checksum.Algorithm)
	case "LifecycleExpirationDate":
		if at, _, ok := e.lifecycle.Expires(setting.Facts{Key: e.Key, Size: e.Size, Tags: e.Tags, Modified: e.Modified, Noncurrent: !e.Latest}); ok {
			return at.UTC().Format(stamp)
		}
	}
	return e.lock(column)
}

func (e *entry) lock(column string) string {
	switch {
	case column == "ObjectLockMode" && e.Retention != nil:
		return e.Retention.Mode
	case column == "ObjectLockRetainUntilDate" && e.Retention != nil:
		return e.Retention.Until.UTC().Format(stamp)
	case column == "ObjectLockLegalHoldStatus" && e.Hold:
		return "On"
	case column == "ObjectLockLegalHoldStatus":
		return "Off"
	}
	return ""
}

func encryption(e *seal.Envelope) string {
	switch {
	case e == nil:
		return "NOT-SSE"
	case e.Mode == seal.Customer:
		return "SSE-C"
	}
	return "SSE-S3"
}

// A writer writes rows into files, one at a time, and hands each to put when it
// is full.
type writer struct {
	dir     string
	columns []string
	rows    int // of a file at most
	put     func(n int, body io.Reader, size int64) (key string, err error)
	files   []manifestFile

	file  *os.File
	sum   hash.Hash
	zip   *gzip.Writer
	out   *bufio.Writer
	count int
}

func (w *writer) row(e *entry) error {
	if w.file == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	for i, c := range w.columns {
		if i > 0 {
			_ = w.out.WriteByte(',') // the first error stays
		}
		_ = w.out.WriteByte('"')
		_, _ = w.out.WriteString(strings.ReplaceAll(e.value(c), `"`, `""`))
		_ = w.out.WriteByte('"')
	}
	if err := w.out.WriteByte('\n'); err != nil {
		return err
	}
	if w.count++; w.count < w.rows {
		return nil
	}
	return w.flush()
}

func (w *writer) begin() (err error) {
	if w.file, err = os.CreateTemp(w.dir, "list-"); err != nil {
		w.file = nil
		return err
	}
	w.sum = md5.New()
	w.zip = gzip.NewWriter(io.MultiWriter(w.file, w.sum))
	w.out, w.count = bufio.NewWriterSize(w.zip, 64<<10), 0
	return nil
}

// flush hands over the file that is being written, if there is one.
func (w *writer) flush() error {
	if w.file == nil {
		return nil
	}
	defer w.abort()
	if err := errors.Join(w.out.Flush(), w.zip.Close()); err != nil {
		return err
	}
	size, err := w.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = w.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	key, err := w.put(len(w.files), w.file, size)
	if err == nil {
		w.files = append(w.files, manifestFile{Key: key, Size: size, MD5: hex.EncodeToString(w.sum.Sum(nil))})
	}
	return err
}

// abort removes the file that is being written.
func (w *writer) abort() {
	if w.file != nil {
		_ = w.file.Close()
		_ = os.Remove(w.file.Name()) // what stays is swept at the next start
		w.file = nil
	}
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
