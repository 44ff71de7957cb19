package s3

import (
	"cmp"
	"maps"
	"net/http"
	"strconv"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// getSetting answers the document that the bucket keeps under the name of the
// sub-resource, or, where it keeps none, with a fault.
func getSetting(code, text string) func(*call) error {
	return func(c *call) error {
		doc, ok := c.b.Settings[c.op.Sub]
		if !ok {
			return fault.New(fault.Missing, code, "%s", text)
		}
		c.document(doc)
		return nil
	}
}

// getSettingOr is getSetting for those that S3 answers with an empty document.
func getSettingOr(empty any) func(*call) error {
	return func(c *call) error {
		if doc, ok := c.b.Settings[c.op.Sub]; ok {
			c.document(doc)
			return nil
		}
		c.xml(http.StatusOK, empty)
		return nil
	}
}

// putSetting keeps a document. check, which may be nil, sees the bucket as it
// is changed, and may change it too.
func putSetting[T any, P setting.Document[T]](check func(*call, *T, *index.Bucket) error) func(*call) error {
	return func(c *call) error {
		v, err := readSetting[T, P](c)
		if err != nil {
			return err
		}
		doc, err := setting.Render(v)
		if err != nil {
			return err
		}
		return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
			if check != nil {
				if err := check(c, v, b); err != nil {
					return err
				}
			}
			b.Settings[c.op.Sub] = doc
			return nil
		})
	}
}

// deleteSetting forgets a document; that there is none is as good.
func deleteSetting(c *call) error {
	return c.changeBucket(http.StatusNoContent, func(b *index.Bucket) error {
		b.Settings[c.op.Sub] = nil
		return nil
	})
}

// document answers with a document as it is kept.
func (c *call) document(doc []byte) {
	h := c.w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(doc)))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(doc) // a client that went away needs no answer
}

func (c *call) changeBucket(status int, change func(*index.Bucket) error) error {
	if _, err := c.Buckets.UpdateBucket(c.ctx, c.bucket, change); err != nil {
		return err
	}
	c.w.WriteHeader(status)
	return nil
}

// mended returns the settings of a bucket of which one cannot be read, without
// the one that the request replaces or takes away, so that its owner can mend
// it.
func (c *call) mended(b *index.Bucket) (*setting.All, error) {
	rest := *b
	rest.Settings = maps.Clone(b.Settings)
	delete(rest.Settings, c.op.Sub)
	if c.op.Sub == "inventory" {
		delete(rest.Settings, setting.InventoryName(c.query.Get("id")))
	}
	return setting.Read(&rest)
}

// proofWanted are the settings whose documents S3 takes only with a digest.
var proofWanted = map[string]bool{"cors": true, "lifecycle": true, "object-lock": true, "replication": true, "tagging": true}

// longest are the lengths of documents, which go with every row of a bucket;
// longSetting is that of the others.
var longest = map[string]int{"cors": 64 << 10, "lifecycle": 512 << 10, "replication": 512 << 10}

const longSetting = 128 << 10

// readSetting reads the document in a request, and proves its digests.
func readSetting[T any, P setting.Document[T]](c *call) (*T, error) {
	d, err := c.digests()
	if err != nil {
		return nil, err
	}
	if !d.proven() && proofWanted[c.op.Sub] {
		return nil, invalidRequest("Missing required header for this request: Content-MD5")
	}
	doc, err := c.readBody(d)
	if err != nil {
		return nil, err
	}
	if err := d.prove(c.body); err != nil {
		return nil, err
	}
	switch most := cmp.Or(longest[c.op.Sub], longSetting); {
	case len(doc) == 0:
		return nil, fault.New(fault.Invalid, "MissingRequestBodyError", "Request Body is empty")
	case len(doc) > most:
		return nil, fault.New(fault.Invalid, "MaxMessageLengthExceeded", "Your request was too large.")
	}
	return setting.Parse[T, P](doc)
}
