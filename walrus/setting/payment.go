package setting

import "encoding/xml"

// Payment is who pays for requests: the bucket's owner, always.
type Payment struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ RequestPaymentConfiguration"`
	Payer   Payer
}

// A Payer is one of S3's names.
type Payer string

// BucketOwner is the one that there is.
const BucketOwner Payer = "BucketOwner"

func (Payer) values() string { return "BucketOwner Requester" }

func (p *Payment) validate() error {
	if p.Payer != BucketOwner {
		return notImplemented("Requester pays is not implemented: there are no prices.")
	}
	return nil
}
