"""The types of tax ids, and the forms of their values, as Stripe publishes them.

https://docs.stripe.com/billing/customer/tax-ids has the table, and the magic test values.
"""

import re

_LISTED = """
    ad_nrt ae_trn al_tin am_tin ao_tin ar_cuit au_abn au_acn au_arn au_wpn aw_tin az_tin
    ba_tin bb_tin bd_bin bf_ifu bg_uic bh_vat bj_ifu bo_tin br_cnpj br_cpf bs_tin bw_vat
    by_tin ca_bn ca_gst_hst ca_pst_bc ca_pst_mb ca_pst_sk ca_qst cd_nif ch_uid ch_vat ci_vat
    cl_tin cm_niu cn_tin co_nit cr_tin cv_nif cz_dic de_stn do_rcn ec_ruc eg_tin es_cif et_tin
    eu_oss_vat eu_vat fo_vat fr_siren fr_siret fr_spi gb_vat ge_vat gh_tin gi_tin gn_nif hk_br
    hr_oib hu_tin ic_nif id_npwp il_vat in_gst is_kt is_vat it_cf jp_cn jp_rn jp_trn ke_pin
    kg_tin kh_tin kr_brn kz_bin la_tin li_uid li_vat lk_vat ma_vat md_cf md_vat me_pib mk_vat
    mr_nif mu_vat mx_rfc my_frp my_itn my_sst mz_nuit ng_tin no_vat no_voec np_pan nz_bn
    nz_gst om_vat pe_ruc ph_tin pl_nip pt_nif py_ruc ro_tin rs_pib ru_inn ru_kpp sa_vat sg_gst
    sg_uen si_tin sm_coe sn_ninea sr_fin sv_nit th_vat tj_tin tr_tin tt_bir tt_vat tw_vat
    tz_vat ua_vat ug_tin unknown us_ein uy_ruc uz_tin uz_vat ve_rif vn_tin za_vat zm_tin
    zw_tin
"""
TYPES = tuple(_LISTED.split())

# Types that Stripe asks a public registry about.
VERIFIED_TYPES = ("au_abn", "eu_vat", "gb_vat")
MAGIC = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}

# Patterns for values in capitals without blanks, dots, dashes and slashes. A type without one
# takes any value.
_EU_VAT = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"(\d{8}|\d{11})",
    "IE": r"\d[A-Z0-9]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12})",
}
_FORMS = {
    "ad_nrt": r"[A-Z]\d{6}[A-Z]",
    "ae_trn": r"\d{15}",
    "ar_cuit": r"\d{11}",
    "au_abn": r"\d{11}",
    "au_arn": r"\d{12}",
    "br_cnpj": r"[A-Z0-9]{12}\d{2}",
    "br_cpf": r"\d{11}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ca_qst": r"\d{10}TQ\d{4}",
    "ch_uid": r"CHE\d{9}(HR)?",
    "ch_vat": r"CHE\d{9}(MWST|TVA|IVA)",
    "cl_tin": r"\d{7,8}[0-9K]",
    "es_cif": r"[A-Z]\d{7}[A-Z0-9]",
    "eu_oss_vat": r"EU\d{9}",
    "gb_vat": r"GB(\d{9}|\d{12}|(GD|HA)\d{3})",
    "hu_tin": r"\d{11}",
    "il_vat": r"\d{9}",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]{3}",
    "is_vat": r"\d{5,6}",
    "jp_cn": r"\d{13}",
    "jp_trn": r"T\d{13}",
    "kr_brn": r"\d{10}",
    "li_uid": r"CHE\d{9}",
    "mx_rfc": r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}",
    "no_vat": r"\d{9}(MVA)?",
    "nz_gst": r"\d{8,9}",
    "ro_tin": r"\d{13}",
    "sa_vat": r"\d{15}",
    "sg_gst": r"(M\d{8}[A-Z0-9]|\d{8,9}[A-Z])",
    "si_tin": r"\d{8}",
    "th_vat": r"\d{13}",
    "tr_tin": r"\d{10}",
    "tw_vat": r"\d{8}",
    "ua_vat": r"\d{9,12}",
    "us_ein": r"\d{9}",
    "za_vat": r"4\d{9}",
}


def is_well_formed(kind: str, value: str) -> bool:
    """Whether a value could be a tax id of a type; the magic values always could."""
    plain = re.sub(r"[\s./-]", "", value).upper()
    if kind in VERIFIED_TYPES and plain in MAGIC:
        return True
    if kind == "eu_vat":
        form = _EU_VAT.get(plain[:2])
        return form is not None and re.fullmatch(form, plain[2:]) is not None
    return re.fullmatch(_FORMS.get(kind, r".+"), plain) is not None


def country_of(kind: str, value: str) -> str | None:
    """The two-letter country of a tax id (ISO 3166-1): Greece's VAT numbers begin with EL."""
    if kind == "eu_vat":
        prefix = value[:2].upper()
        return {"EL": "GR", "XI": "GB"}.get(prefix, prefix) if prefix.isalpha() else None
    return None if kind in ("eu_oss_vat", "unknown") else kind[:2].upper()
