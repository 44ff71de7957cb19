package s3

import (
	"encoding/hex"
	"io"
	"net"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/seal"
	"karri/walrus/setting"
)

const (
	sealHeader     = "x-amz-server-side-encryption"
	customerHeader = sealHeader + "-customer-"
	sourceCustomer = copySource + "-server-side-encryption-customer-"
)

// A sealing is how the bytes of an object or of a part are sealed and opened.
// One without a key stands for bytes that are stored as they are.
type sealing struct {
	envelope *seal.Envelope
	key      *seal.Key
	customer *seal.CustomerKey // that the request brought
}

// What a request is refused for when it does not say how to open an object.
var (
	keyNeeded  = invalidRequest("The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	keyUseless = invalidRequest("The encryption parameters are not applicable to this object.")
	otherKey   = invalidRequest("The provided encryption parameters did not match the ones used originally.")
	badMethod  = fault.New(fault.Invalid, "InvalidArgument", "The encryption method specified is not supported")
)

// customerKey returns the key that the request brings in headers that begin
// with prefix; nil when it brings none.
func (c *call) customerKey(prefix string) (*seal.CustomerKey, error) {
	h := c.r.Header
	algorithm, key, sum := h.Get(prefix+"algorithm"), h.Get(prefix+"key"), h.Get(prefix+"key-md5")
	if algorithm == "" && key == "" && sum == "" {
		return nil, nil
	}
	if !c.private() {
		return nil, invalidRequest("Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.")
	}
	return seal.ParseCustomerKey(algorithm, key, sum)
}

// private reports whether nobody between here and the client hears what is said.
func (c *call) private() bool {
	if c.r.TLS != nil {
		return true
	}
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// sealNew returns how a new object in the bucket is sealed: as the headers say,
// else as the bucket does.
func (c *call) sealNew() (*sealing, error) {
	customer, err := c.customerKey(customerHeader)
	if err != nil {
		return nil, err
	}
	method := c.r.Header.Get(sealHeader)
	switch {
	case customer != nil && method != "":
		return nil, invalidArgument("Server Side Encryption with Customer provided key is incompatible with the encryption method specified")
	case customer != nil:
		s := &sealing{customer: customer}
		s.envelope, s.key = customer.New()
		return s, nil
	case method == "" && c.settings != nil && c.settings.Encryption != nil:
		method = string(c.settings.Encryption.Rules[0].Default.Algorithm)
	}
	switch method {
	case "":
		return &sealing{}, nil
	case string(setting.AES256):
	case "aws:kms", "aws:kms:dsse":
		return nil, notImplemented("Server side encryption with %s is not implemented: there is no key service.", method)
	default:
		return nil, badMethod
	}
	if c.Master == nil {
		return nil, notImplemented("Server side encryption is not implemented: there are no master keys.")
	}
	s := &sealing{}
	s.envelope, s.key = c.Master.New()
	return s, nil
}

// namesSealing reports whether the request says how its object is sealed.
func (c *call) namesSealing() bool {
	return c.r.Header.Get(sealHeader) != "" || c.r.Header.Get(customerHeader+"algorithm") != ""
}

// sealOf returns how what has the envelope is opened. The key of a customer
// must be in headers that begin with prefix.
func (c *call) sealOf(e *seal.Envelope, prefix string) (*sealing, error) {
	customer, err := c.customerKey(prefix)
	switch {
	case err != nil:
		return nil, err
	case customer != nil && (e == nil || e.Mode != seal.Customer):
		return nil, keyUseless
	case e == nil:
		return &sealing{}, nil
	}
	s := &sealing{envelope: e, customer: customer}
	switch {
	case e.Mode == seal.Customer && customer == nil:
		return nil, keyNeeded
	case e.Mode == seal.Customer:
		s.key, err = customer.Open(e)
	case c.Master == nil:
		return nil, seal.NoMaster
	default:
		s.key, err = c.Master.Open(e)
	}
	return s, err
}

// sealOfPart is sealOf for a part of an upload.
func (c *call) sealOfPart(u *index.Upload) (*sealing, error) {
	s, err := c.sealOf(u.Seal, customerHeader)
	if err == seal.WrongKey || err == keyUseless || err == keyNeeded {
		return nil, otherKey
	}
	return s, err
}

// told writes the headers of an answer that say how an object is sealed.
func (c *call) told(e *seal.Envelope, customer *seal.CustomerKey) {
	switch {
	case e == nil:
	case e.Mode == seal.Master:
		c.set(sealHeader, string(setting.AES256))
	case customer != nil:
		c.set(customerHeader+"algorithm", string(setting.AES256))
		c.set(customerHeader+"key-MD5", customer.MD5())
	}
}

func (s *sealing) mode() string {
	if s.envelope == nil {
		return ""
	}
	return s.envelope.Mode
}

// etag returns the ETag of bytes. What a customer's key seals does not show its MD5.
func (s *sealing) etag(d *digests) string {
	sum := d.md5.Sum(nil)
	if s.mode() == seal.Customer {
		return s.key.ETag(sum)
	}
	return hex.EncodeToString(sum)
}

// size returns how many bytes are stored for size bytes.
func (s *sealing) size(size int64) int64 {
	if s.key == nil {
		return size
	}
	return seal.Size(size)
}

// bytes returns what is stored for few bytes.
func (s *sealing) bytes(b []byte) []byte {
	if s.key == nil {
		return b
	}
	return s.key.Seal(b)
}

// writer returns a writer that stores in w what is written to it; end is to be
// called behind the last byte.
func (s *sealing) writer(w io.Writer) (sealed io.Writer, end func() error) {
	if s.key == nil {
		return w, func() error { return nil }
	}
	sw := s.key.Writer(w)
	return sw, sw.Close
}

// open returns n bytes from off of a piece of size bytes.
func (s *sealing) open(from seal.Source, size, off, n int64) (io.ReadCloser, error) {
	if s.key == nil {
		return from(off, n)
	}
	return s.key.Open(from, size, off, n)
}

// shares reports whether a copy can share the bytes of what is sealed as s,
// and returns the envelope that it then has: the key stays, and is wrapped
// anew where it is a customer's.
func (s *sealing) shares(to *sealing) (*seal.Envelope, bool) {
	switch {
	case s.mode() != to.mode():
		return nil, false
	case s.mode() == seal.Customer:
		return to.customer.Rewrap(s.key), true
	}
	return s.envelope, true
}
