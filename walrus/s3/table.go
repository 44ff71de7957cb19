package s3

import (
	"slices"
	"strings"
)

// A use says what becomes of a query parameter that S3 knows. Parameters that
// S3 does not know are ignored, as S3 does.
type use int

const (
	selects   use = iota // it selects an operation
	parameter            // an operation reads it
	refused              // it asks for what is not here
)

var subresources = map[string]use{
	"accelerate": selects, "acl": selects, "attributes": selects, "cors": selects, "delete": selects, "encryption": selects,
	"inventory": selects, "legal-hold": selects, "lifecycle": selects, "location": selects, "logging": selects, "notification": selects,
	"object-lock": selects, "ownershipControls": selects, "policy": selects, "policyStatus": selects,
	"publicAccessBlock": selects, "replication": selects, "requestPayment": selects, "retention": selects,
	"tagging": selects, "uploadId": selects, "uploads": selects, "versioning": selects, "versions": selects, "website": selects,

	"list-type": parameter, "delimiter": parameter, "prefix": parameter, "marker": parameter, "max-keys": parameter,
	"encoding-type": parameter, "start-after": parameter, "continuation-token": parameter, "fetch-owner": parameter,
	"key-marker": parameter, "version-id-marker": parameter, "upload-id-marker": parameter, "max-uploads": parameter, "max-parts": parameter,
	"part-number-marker": parameter, "partNumber": parameter, "versionId": parameter, "max-buckets": parameter,
	"bucket-region": parameter, "x-id": parameter, "id": parameter,

	"abac": refused, "analytics": refused, "annotation": refused, "append": refused,
	"intelligent-tiering": refused, "metadataConfiguration": refused,
	"metadataInventoryTable": refused, "metadataJournalTable": refused, "metadataTable": refused,
	"metrics": refused, "renameObject": refused, "restore": refused, "select": refused, "select-type": refused,
	"session": refused, "torrent": refused, "encryptionType": refused,
}

// headers are the x-amz-* headers that S3 knows: nil when an operation or the
// signature honours it, else the values that change nothing. Any other value,
// and any header that stands in no table, is refused by name.
var headers = map[string][]string{
	"x-amz-algorithm": nil, "x-amz-content-sha256": nil, "x-amz-credential": nil, "x-amz-date": nil,
	"x-amz-decoded-content-length": nil, "x-amz-trailer": nil, "x-amz-security-token": nil,
	"x-amz-copy-source": nil, "x-amz-copy-source-range": nil, "x-amz-copy-source-if-match": nil,
	"x-amz-copy-source-if-none-match": nil, "x-amz-copy-source-if-modified-since": nil,
	"x-amz-copy-source-if-unmodified-since": nil, "x-amz-metadata-directive": nil,
	"x-amz-checksum-mode": nil, "x-amz-checksum-algorithm": nil, "x-amz-checksum-type": nil,
	"x-amz-checksum-crc32": nil, "x-amz-checksum-crc32c": nil, "x-amz-checksum-crc64nvme": nil,
	"x-amz-checksum-sha1": nil, "x-amz-checksum-sha256": nil, "x-amz-sdk-checksum-algorithm": nil,
	"x-amz-mp-object-size": nil, "x-amz-website-redirect-location": nil, "x-amz-expected-bucket-owner": nil, "x-amz-source-expected-bucket-owner": nil,
	"x-amz-acl": nil, "x-amz-grant-full-control": nil, "x-amz-grant-read": nil, "x-amz-grant-read-acp": nil,
	"x-amz-grant-write": nil, "x-amz-grant-write-acp": nil, "x-amz-object-ownership": nil, "x-amz-bucket-object-lock-enabled": nil,
	"x-amz-max-parts": nil, "x-amz-part-number-marker": nil,
	sealHeader: nil, customerHeader + "algorithm": nil, customerHeader + "key": nil, customerHeader + "key-md5": nil,
	sourceCustomer + "algorithm": nil, sourceCustomer + "key": nil, sourceCustomer + "key-md5": nil,

	// Of objects and their versions.
	"x-amz-bypass-governance-retention": nil, "x-amz-object-attributes": nil, "x-amz-storage-class": nil,
	"x-amz-replication-status": {"REPLICA"},
	"x-amz-tagging":            nil, "x-amz-tagging-directive": nil,
	lockMode: nil, lockUntil: nil, lockHold: nil,

	// These only tell about the client, or ask for what is so anyway.
	"x-amz-user-agent": {"*"}, "x-amz-te": {"*"}, "x-amz-request-payer": {"*"}, "x-amz-skip-destination-validation": {"*"}, "x-amz-id": {"*"}, "x-amz-confirm-remove-self-bucket-access": {"*"},
	"x-amz-optional-object-attributes":                {"*"},
	transitionHeader:                                  {transitionDefault},
	"x-amz-server-side-encryption-bucket-key-enabled": {"false"},
}

const metaPrefix = "x-amz-meta-"

// checkHeaders refuses x-amz-* headers that ask for what is not here.
func (c *call) checkHeaders() error {
	for name, values := range c.r.Header {
		low := strings.ToLower(name)
		if !strings.HasPrefix(low, "x-amz-") || strings.HasPrefix(low, metaPrefix) {
			continue
		}
		harmless, known := headers[low]
		if known && (harmless == nil || harmless[0] == "*") {
			continue
		}
		for _, v := range values {
			if !known || !slices.Contains(harmless, v) {
				if strings.Contains(low, "key") {
					v = "..." // it may have been meant to be a secret
				}
				return notImplemented("A header you provided implies functionality that is not implemented: %s: %s", low, v)
			}
		}
	}
	return nil
}
