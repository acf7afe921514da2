"""Words that stand beside names, and words with a capital that are none."""

import re

# Titles, as written before a name. "M." and "D." are French and Spanish; "Sr" is a nurse, or Señor.
TITLES = (
    r"Mr|MR|Mrs|MRS|Ms|MS|Miss|MISS|Mx|Mstr|Master|Messrs|Dr|DR|Drs|Prof|PROF|Professor|Sir|Dame|Lord|Lady|Rev|"
    r"Reverend|Fr|Father"
    r"|Pastor|Rabbi|Imam|Sheikh(?!\.)|Haji|Hajji|Hajja|Brother|Sr|Capt|Captain|Col|Colonel|Lt|Major|Sgt|SGT|SSgt|CPT"
    r"|LTC|PC"
    r"|Coach|Ofc|Deputy|Det|Judge|Justice|Atty|Hon|Mdm|Madam|Datuk|Dato|Encik|Puan|Shri|Sri|Smt|Kumari|Begum|Bay"
    r"|Bayan|Pan|Pani|Mister"
    r"|Herrn?|HERR|Frau|FRAU|Hr|Fräulein|Monsieur|Madame|Mme|MME|Mlle|Mademoiselle|Me|(?<!\d )M\.|Señora?|Señorita"
    r"|Sra|Srta|"
    r"Don|Doña|Dña|D\."
    r"|D\.ª|Dª|Alhaji|Alhaja|Hajia|Mzee|Ouma|Oupa|Gogo|Lola|Lolo|Cik|Nyonya|Ibu|Ustaz"
    r"|Baby|Infant|Cllr|Cpl|Pvt|Schwester|Pfleger|Oberarzt|Chefarzt|Oberärztin"
    r"|Dra|Dott\.ssa|Dr\.ssa|Prof\.ssa|Dott|Dottore|Signora?|Sig\.ra|Sig\.na|Sig|[Mm]evr|[Mm]evrouw|[Dd]hr|[Mm]w"
    r"|Meneer|dr\.|OÄ|OA|Senhora?|Sen|Gov|Insp"
)
OFFICES = (
    r"Consultant|Registrar|RN|HCA|S/N|SN|CNA|LPN|NP|PA|CNM|Inspector|Sergeant|Constable|Doctor|Nurse|NURSE|"
    r"Sister|Matron|Officer|MW"
    r"|N/C|NIC|DN|PHN|ACP|ANP|CNC|SHO|SpR|RMO|RMN|SCN|DSN|RNS|HV|LMSW|OHA"
    r"|CNS(?! (?:[Ll]ymph|[Dd]epress|[Ee]xam|[Ii]nfect|[Ii]nvol|[Dd]isease|[Tt]umou?r|[Vv]asc|[Mm]etast"
    r"|[Tt]oxic|[Bb]leed|[Ss]timul))"
    r"|OT(?! (?:[A-Z]\w*ment|[A-Z]\w*al|Kitchen|Home|Visit|Input|Review|Plan))|MD(?! (?:Anderson|Notified"
    r"|Aware|Informed))"
)
SMALL_TITLES = r"mr|mrs|mister|missus|(?:by|to|from|with|w/|dear|dr\.?\s?) ?doctor|dr|prof"

# What stands before a colon and a name.
LABELS = (
    r"(?:patient(?:'s)?|pt|full|last|first|given|family|client|resident|employee|sur|fore"
    r"|middle)?[\s-]?names?(?:\(s\))?"
    r"|forename\(s\)|nom|prénom|apellidos|pacjent(?:ka)?|imię(?: i nazwisko)?|nazwisko|efternamn|namn|recipient|donor"
    r"|deceased|claimant|child|pupil|student|baby|infant"
    r"|(?:key|case|social|support)?[ -]?worker|service user|s/u|coordinator|athlete"
    r"|nombre|nome|naam|nachname|vorname|"
    r"patient(?:in)?|pat|pt|paciente|paziente"
    r"|patiënt|hasta|client|resident|veteran|member|insured|subscriber|employee|participant|proband|subject|caller|"
    r"attending|surgeon"
    r"|an(?:a)?esthetist|consultant|referrer|referring (?:physician|doctor)|provider|physician|pcp|gp|op|operator|"
    r"endoscopist|radiologist"
    r"|pathologist|dictated by|reported by|signed(?: by)?|verified by|author|seen by|ref by|reviewed by|pharmacist|"
    r"counsellor|counselor|therapist"
    r"|manager|next of kin|nok|poa|emergency contact|contact|amhp|cpn|dsn|rns|midwife|nurse|guardian|parent|spouse|"
    r"wound care rn|audiologist|accepting|re|betreft|betr|betreff|baby of"
)

# Words after which, without a colon, a capitalised word is the name of a person.
RELATIONS = (
    r"hij[ao]|tochter|sohn|fille|fils|figli[ao]|dochter|zoon|espos[ao]|marido|filh[ao]|(?:widow|widower|wife|husband"
    r"|son|daughter|mother|father|sister|brother|child) of|recipient|donor|deceased"
    r"|claimant|insured|pupil|student|athlete|survivor|matron|clinical officer"
    r"|patient(?:in)?|pt\.?|px|pat\.|surname|forenames?|[sdw]/o(?: late)?|client|resident|veteran|participant"
    r"|proband|employee|caller|son|daughter|dtr|wife|"
    r"husband|mother|father|mum|mom|dad"
    r"|brother|sister|partner|boyfriend|girlfriend|fianc[eé]e?|aunt|uncle|niece|nephew|cousin|grandson|granddaughter|"
    r"grandmother|grandfather"
    r"|carer|caregiver|neighbou?r|friend|spouse|nok|named|called|name|seen by|reviewed by|d/w|spoke to|spoke with|"
    r"discussed with|surgeon|surgeons?"
    r"|assistant|anaesthetist|nurse|midwife|physio(?:therapist)?|health visitor|sister|physiologist|endoscopist|"
    r"counsellor|interpreter|chaplain|amhp|cpn|dsn|op"
)

# After a name, without a title: letters of a profession.
CREDENTIALS = (
    r"MD|M\.D\.|DO|D\.O\.|RN|NP|PA-C|PA|PharmD|PhD|MBBS|MBChB|MB|BS|MRCP|FRCP|FRCS|FRCA|FACS|FACP|DDS|DMD|DPM|DPT|"
    r"OTR|PT|RD|LCSW|LMSW|LSW|MSW|MPA|BMS|RMN|RGN|RPN|AGNP(?:-C)?|CRNA|CNM|LPN"
    r"|BSN|MSN|FNP|APRN|ST[1-8]|CT[1-3]|F[12]|FY[12]|SpR|SHO|SW|HCA"
)

# What follows a name of a patient: a date of birth, an age, a sex with an age.
AFTER_SINGLE_NAME = (
    r"\s?,?\s?\(?(?:DOB|D\.O\.B\.?|dob|DoB|born\b|b\.\s\d|geb\.|geboren|née? le|nata il|nato il|nacid[oa])"
    r"|,?\s(?:is|was)\s(?:an?|the)\s(?:\w+\s){0,2}?(?:\d{1,3})\b"
)
AFTER_NAME = (
    r",?\s\(?\d{1,3}\s?-?(?:year|yr|y/?o\b|yo\b|y\.o|y\b|M\b|F\b|male|female|ans\b|años\b|Jahre)"
    r"|,\s\d{1,3}(?=[,.;:])"
    r"|,\s?(?:9\d|1[01]\d)\b(?!\s?(?:mg|kg|ml|%|mm|cm))"
    r"|\s?[,/(]?\s?#\s?\d{4}|\s?[,/(]?\s?(?:MRN|NHS|CHI|DOB|D\.O\.B|dob|Hosp|SSN)\b[^\d\n]{0,8}\d"
    r"|\s?[/(]?\s[A-Z]{0,3}\d{5,}\b|,\s(?:[A-Z]{1,3}\d{5,}|\d{6,})\b"
)

# Before an age with a sex one word is enough: "Sandford 78M".
AFTER_ONE_WORD = r",?\s{1,2}\(?(?:1[01]\d|\d\d)\s?[MF]\b"

# What ends a letter, before the name of who signs.
SIGN_OFFS = (
    r"Yours(?: (?:sincerely|faithfully|truly))?|Sincerely|(?:Kind(?:est)?|Best|Warm|Many|With kind)? ?[Rr]egards"
    r"|Best wishes"
    r"|[Tt]hanks|[Tt]hank you|[Cc]heers|[Ll]ove|Signed|Grüßen|Grüße|Cordialement|confraternellement|Saludos"
    r"|Atentamente|Cordiali saluti|groet|groeten"
)

# Capitalised words that stand beside names and are none.
NO_NAMES = frozenset(
    """
    I A The This That These Those He She They We You It His Her Their Our My Your In On At By For From To Of With
    Without And Or But If As
    DOB DoB MRN NHS SSN CHI NI NOK GP ED ICU ITU CCU HDU MAU SAU OPD ENT NBM NPO DNR DNA DNAR ECG EKG CT MRI MRA US
    XR CXR BP HR RR GCS
    Tel Telephone Phone Mobile Mob Cell Fax Email Mail Address Addr Age Aged Sex Male Female M F Date Time Born Bed
    Ward Bay Room Rm Unit
    Hospital Hosp Clinic Surgery Practice Department Dept Centre Center Consultant Registrar Reg Specialist
    Physician Surgeon Doctor Nurse Sister
    Cardiology Neurology Oncology Radiology Surgery Medicine Psychiatry Urology Dermatology Paediatrics Pediatrics
    Geriatrics Orthopaedics
    Patient Pt Name Re Ref Dear Yours Sincerely Faithfully Regards Kind Best Thank Thanks Seen Reviewed Review
    Admitted Discharged Discharge
    Admission History Diagnosis Dx Hx Rx Plan Assessment Subjective Objective Present Past Family Social Illness
    Complaint Chief Impression
    Findings Procedure Operation Note Notes Report Summary Information Instructions Safety Care Education Health
    Questionnaire Experience
    Reports Denies States Presents Complains Says Has Is Was Were Will Would Can Could May Might Should Did Does Not
    No Yes
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mon Tue Tues Wed Thu Thurs Fri Sat Sun January February
    March April June July
    August September October November December Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec
    Street Road Avenue Lane Drive Flat Apt House Home Nursing Residential Lives Living Private
    Spine Brain Head Neck Abdomen Pelvis Chest Angiography Angiogram Imaging Scan Venography Spectroscopy
    Elastography Enterography
    Lesions Lesion Relapse Plaques Society Association Foundation Institute Center University School College
    Allergies Medications Meds Labs Vitals Exam Chart Acct Account Insurance Policy Claim Member Provider Referring
    Attending Primary
    Call Contact Callback Pharmacy Interpreter Wife Husband Son Daughter Mother Father Brother Mum Dad Parents
    Partner Carer Next Kin
    HISTORY PLAN ADMITTED SEEN WAS IS HAS WITH AND CODE STATUS CHIEF COMPLAINT AGE SEX DATE NAME PATIENT NOTES
    REPORT REVIEWED ON IN AT BY TO FOR
    OF THE FROM WARD BED UNIT MALE FEMALE EXAM FINDINGS IMPRESSION SURGERY CONSULT CLINIC HOSPITAL SPINE BRAIN HEAD
    NECK SCAN ANGIOGRAM ANGIOGRAPHY
    Adult Caucasian Asian Black White Hispanic African Indian Chinese European Elderly Retired Previously
    RiO Emis NRIC CURP Grüßen Tele Hi Hello Hey Episode Encounter Resident Client Surname
    Forename Forenames Given Reg Address Postcode
    Recipient Donor Deceased Claimant Pupil Survivor BSc BS MCOptom Badger Lab
    Grüße Accession ACCESSION Exam EXAM Vit Vitamin Type Stage Grade Left Right Upper Lower Acute Chronic
    """.split()
)

# Words in small letters that do not begin or go on with a name.
COMMON = frozenset(
    """
    a an the and or but if as at by for from in into is are was were be been has have had do does did done not no
    nor of off on onto out over per
    so than that then there these this those to too under until up very via what when where which while who whom why
    will with without would
    he she they we you it his her their our my your me him them us i
    admitted seen reviewed discharged brought presented presents presenting complains complaining reports reported
    states stated says said
    denies asks asked called calls phoned rang spoke came comes attended attends feels felt looks looked wants
    wanted needs needed takes took
    started starts stopped advised agrees agreed aware happy keen well unwell better worse stable settled
    comfortable confused alert old new
    year years yr yrs yo aged age male female man woman lady gentleman boy girl born dob date birth bed ward bay
    room unit clinic hospital
    today yesterday tomorrow tonight now again also still may can could should must might patient pt patients doctor
    nurse consultant registrar
    about after before during because since however severe moderate mild regurgitation spine brain angiography scan
    imaging lesions relapse
    lesion disease prescribed prescription recommends recommended prescribes orders ordered referral refer referred
    right left who first before
    immediately office visit visits appointment care help advice review mon tue wed thu fri sat sun please thanks thank
    its
    """.split()
)

# Small words inside names.
PARTICLES = (
    r"DE LA|VAN DEN|VAN DER|VAN DE|VON DER|VAN|VON|DELLA|DEL|DE|DU|DI|DOS|DA|LE|LA|"
    r"de la|de las|de los|de|del|della|di|da|dos|do|das|du|des|la|le|lo|von der|von|van den|van der|van|den|der|ter|"
    r"ten|zu|zur|bin|bint|ibn"
    r"|abu|al|el|ap|ní|nic|mac|y|e|af|av|st\."
)

# Words for who has a task, by their endings and some without; a name that no list of words has may follow.
ROLES = (
    r"[\w-]{2,20}(?:ist|ian|tor|sor|yor|er|ant|ent|ee|iff|man|woman|men|wife|nurse|worker|mate|officer|aide|coach"
    r"|clerk|chaplain|"
    r"maid|lead|guide|reg|rep|nun|witness|mentor|arzt|ärztin|ière|ier|eur|euse|rice|pfleger|schwester|ero|era|dor"
    r"|dora|ado)"
    r"|attending|crew|scrub|tech|contact|fru|frau|cons|reg|f[12]|by|cc|signed|typed|per|d/w|handed over to|seen with"
    r"|under|alias|known as|née?|maiden name|hca|hcsw|ahp|"
    r"cook|médico|médica|medico|arzt|ärztin|pte|pcte"
)
NO_ROLES = re.compile(
    r"(?i:higher|lesser|greater|younger|older|elder|nether|after|under(?! \w+ care)|over|or|her|other|another|either"
    r"|neither|rather|n?ever|however|whether|further|later|former|latter|"
    r"number|cent(?:er|re)|shoulder|liver|bladder|cancer|ulcer|fever|tumou?r|doppler|letter|paper|order|water|finger"
    r"|summer|winter|"
    r"(?:septem|octo|novem|decem)ber|inhaler|catheter|blocker|better|lower|upper|inner|outer|proper|super|ember"
    r"|remember|consider|"
    r"prefer|refer|offer|discover|recover|cover|enter|filter|monitor|doctor|factor|motor|tremor|error|minor|major"
    r"|prior|"
    r"anterior|posterior|superior|inferior|interior|exterior|patient|present|recent|different|consistent|frequent"
    r"|current|"
    r"urgent|absent|evident|persistent|intermittent|treatment|assessment|appointment|management|improvement|movement"
    r"|element|"
    r"segment|fragment|ligament|document|equipment|department|statement|agreement|comment|moment|accident|incident"
    r"|content|"
    r"extent|event|stent|rent|percent|significant|important|relevant|malignant|dominant|constant|distant|instant"
    r"|implant|"
    r"transplant|variant|infant|pregnant|want|plant|anti?coagulant|antidepressant|antibiotic|list|twist|wrist|assist"
    r"|persist|"
    r"exist|fist|cyst|resist|see|knee|three|free|agree|degree|fee|coffee|tree|human|mean|ocean|loan|scan|italian"
    r"|indian|"
    r"canadian|australian|russian|ukrainian|asian|norwegian|hungarian|iranian|egyptian|nigerian|ghanaian|"
    r"median|obsidian|medium|ovarian|caesarean|their|hour|four|your|our|colour|favou?r|behaviou?r|humou?r|odou?r|"
    r"german|roman|common|commencement|transfer|answer|power|shower|tower|corner|river|silver|sliver|quarter|winter"
    r"|diameter|"
    r"meter|metre|litre|liter|computer|trailer|container|counter|encounter|disorder|border|reminder|remainder|mother"
    r"|father)"
    r"|IV|IM|SC|PO|PR|SL|PV|NG|CT|MRI|MR|US|USS|XR|ECG|EKG|OD|BD|TDS|QDS|PRN|ED|GP|NHS|MRN|DOB|AM|PM|NB|IE|EG|UK|EU"
    r"|USA|ICU|HDU|"
    r"ITU|CCU|MAU|AMU|SAU|ENT|DNR|DNACPR|NKDA|PMH|PMHX|SH|FH|DH|HX|RX|DX|TX|SX|BP|HR|RR|MDT|DOA|DOD|DOI|OPD|MOF|OBS"
    r"|ROS|HPI|CC|"
    r"TO|AT|IN|ON|OF|FROM|FOR|AND|RE|FAX|TEL|NO|ID|REF|UR|URN|CAD|NR|SNF|A&E|WARD|BED|ROOM|ADD|ATT|ATTN|VA|IOP|UTI"
    r"|TB|HIV|ER|OR"
)
# What makes of the words before it a house, a firm or a thing that bears a name.
ORGANISATIONS = re.compile(
    r"\s(?:Hospitals?|Hosp|Clinics?|House|Lodge|Manor|Court|Home|Centre|Center|Surgery|Practice|Pharmacy|Infirmary"
    r"|University|"
    r"College|School|Academy|Institute|Foundation|Trust|Society|Association|Street|St|Road|Rd|Avenue|Lane|Drive"
    r"|Close|Ward|Unit|"
    r"Insurance|Mutual|Ltd|Inc|LLC|plc|GmbH|Scale|Score|Index|Criteria|Classification|Syndrome|Disease|Sign|Test"
    r"|Procedure|"
    r"Protocol|Trial|Study|Method|Technique|Inhaler|Tablets?|Injection|Cream|Ointment|Park|Hall|Farm|Cottage|County"
    r"|Council|"
    r"scale|score|index|criteria|classification|syndrome|disease|sign|test|procedure|protocol|trial|study|method"
    r"|technique|"
    r"inhaler|tablets?|injection|cream|ointment|spray|infusion|pen|device|pacemaker|valve|catheter|tube|line|drain)\b"
)
