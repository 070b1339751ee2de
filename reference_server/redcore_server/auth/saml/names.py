"""The names of SAML 2.0 and XML Signature that the service provider uses, in lxml notation."""

from __future__ import annotations

from typing import Final

SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"

RESPONSE: Final = f"{SAMLP}Response"
ASSERTION: Final = f"{SAML}Assertion"
SIGNATURE: Final = f"{DS}Signature"

SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
PREFIXES: Final = f"{{{EXCLUSIVE_C14N}}}InclusiveNamespaces"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
