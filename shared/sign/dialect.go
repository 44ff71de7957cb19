package sign

import "karri/shared/fault"

// A trouble is a reason to refuse, before a dialect names it.
type trouble int

const (
	malformedHeader trouble = iota
	malformedQuery
	mixed
	noAuth
	badScheme
	badToken
	tokenEnded
	noDate
	skewed
	expired
	badScope
	unknownKey
	mismatch
	unsignedHeader
	noHash
	badHash
	hashMismatch
	incomplete
	noLength
	badTrailer
	tooLarge
	notDone
	troubles
)

type code struct {
	kind fault.Kind
	name string
}

// A Dialect is how a family of services names what is wrong with a signature,
// and which forms of signature and payload it knows.
type Dialect struct {
	objects bool // S3: anonymous requests, streamed payloads, single-encoded paths
	codes   [troubles]code
	// What clients show, and some look for, in the words of the services.
	unknownKey, mismatch, noAuth, badToken, tokenEnded string
}

// EC2 is the dialect of EC2, Query that of IAM, STS and the other query
// services, S3 that of buckets.
var (
	EC2   = queryDialect("AuthFailure", "AWS was not able to validate the provided access credentials", code{fault.Invalid, "RequestExpired"}, "Request has expired.")
	Query = queryDialect("InvalidClientTokenId", "The security token included in the request is invalid.",
		code{fault.Denied, "ExpiredToken"}, "The security token included in the request is expired")
	S3 = &Dialect{objects: true, noAuth: "Access Denied",
		badToken: "The provided token is malformed or otherwise invalid.", tokenEnded: "The provided token has expired.",
		unknownKey: "The AWS Access Key Id you provided does not exist in our records.",
		mismatch:   "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
		codes: [troubles]code{
			malformedHeader: {fault.Invalid, "AuthorizationHeaderMalformed"},
			malformedQuery:  {fault.Invalid, "AuthorizationQueryParametersError"},
			mixed:           {fault.Invalid, "InvalidArgument"},
			noAuth:          {fault.Denied, "AccessDenied"},
			badScheme:       {fault.Invalid, "InvalidArgument"},
			badToken:        {fault.Invalid, "InvalidToken"},
			tokenEnded:      {fault.Invalid, "ExpiredToken"},
			noDate:          {fault.Denied, "AccessDenied"},
			skewed:          {fault.Denied, "RequestTimeTooSkewed"},
			expired:         {fault.Denied, "AccessDenied"},
			badScope:        {fault.Invalid, "AuthorizationHeaderMalformed"},
			unknownKey:      {fault.Denied, "InvalidAccessKeyId"},
			mismatch:        {fault.Denied, "SignatureDoesNotMatch"},
			unsignedHeader:  {fault.Denied, "AccessDenied"},
			noHash:          {fault.Invalid, "InvalidRequest"},
			badHash:         {fault.Invalid, "InvalidArgument"},
			hashMismatch:    {fault.Invalid, "XAmzContentSHA256Mismatch"},
			incomplete:      {fault.Invalid, "IncompleteBody"},
			noLength:        {fault.Invalid, "MissingContentLength"},
			badTrailer:      {fault.Invalid, "MalformedTrailerError"},
			tooLarge:        {fault.Invalid, "EntityTooLarge"},
			notDone:         {fault.Invalid, "NotImplemented"},
		}}
)

// queryDialect takes the code and the text for a key that nobody has, and for a
// session that has ended. EC2 answers the former with the status 401, all
// others with 403.
func queryDialect(unknown, text string, ended code, endedText string) *Dialect {
	return &Dialect{
		unknownKey: text, badToken: text, tokenEnded: endedText, noAuth: "Request is missing Authentication Token",
		mismatch: "The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
		codes: [troubles]code{
			malformedHeader: {fault.Invalid, "IncompleteSignature"},
			malformedQuery:  {fault.Invalid, "IncompleteSignature"},
			mixed:           {fault.Invalid, "InvalidParameterCombination"},
			noAuth:          {fault.Denied, "MissingAuthenticationToken"},
			badScheme:       {fault.Invalid, "IncompleteSignature"},
			badToken:        {fault.Denied, unknown},
			tokenEnded:      ended,
			noDate:          {fault.Invalid, "IncompleteSignature"},
			skewed:          {fault.Invalid, "RequestExpired"},
			expired:         {fault.Invalid, "RequestExpired"},
			badScope:        {fault.Denied, "SignatureDoesNotMatch"},
			unknownKey:      {fault.Denied, unknown},
			mismatch:        {fault.Denied, "SignatureDoesNotMatch"},
			unsignedHeader:  {fault.Denied, "SignatureDoesNotMatch"},
			noHash:          {fault.Invalid, "IncompleteSignature"},
			badHash:         {fault.Denied, "SignatureDoesNotMatch"},
			hashMismatch:    {fault.Denied, "SignatureDoesNotMatch"},
			incomplete:      {fault.Invalid, "MalformedQueryString"},
			noLength:        {fault.Invalid, "MalformedQueryString"},
			badTrailer:      {fault.Invalid, "MalformedQueryString"},
			tooLarge:        {fault.Invalid, "RequestEntityTooLarge"},
			notDone:         {fault.Invalid, "UnsupportedOperation"},
		}}
}

func (d *Dialect) fault(t trouble, format string, args ...any) *fault.Fault {
	return fault.New(d.codes[t].kind, d.codes[t].name, format, args...)
}
