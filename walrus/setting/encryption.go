package setting

import "encoding/xml"

// Encryption is how objects are sealed whose writer does not say it.
type Encryption struct {
	XMLName xml.Name         `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ServerSideEncryptionConfiguration"`
	Rules   []EncryptionRule `xml:"Rule"`
}

// EncryptionRule is the one rule.
type EncryptionRule struct {
	Default   *EncryptionDefault `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKey *bool              `xml:"BucketKeyEnabled"`
	Blocked   []unsupported      `xml:"BlockedEncryptionTypes,omitempty"`
}

// EncryptionDefault names the algorithm.
type EncryptionDefault struct {
	Algorithm EncryptionAlgorithm `xml:"SSEAlgorithm"`
	KeyID     *string             `xml:"KMSMasterKeyID"`
}

// An EncryptionAlgorithm is one of S3's names.
type EncryptionAlgorithm string

// AES256 is SSE-S3; the others need a key service, which there is not.
const AES256 EncryptionAlgorithm = "AES256"

func (EncryptionAlgorithm) values() string { return "AES256 aws:kms aws:kms:dsse" }

func (e *Encryption) validate() error {
	if len(e.Rules) != 1 {
		return MalformedXML
	}
	r := e.Rules[0]
	switch {
	case len(r.Blocked) > 0:
		return notImplemented("Blocking types of encryption is not implemented.")
	case r.Default == nil:
		return MalformedXML
	case r.Default.Algorithm != AES256:
		return notImplemented("Server side encryption with %s is not implemented: there is no key service.", r.Default.Algorithm)
	case r.Default.KeyID != nil:
		return invalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	}
	return nil
}
