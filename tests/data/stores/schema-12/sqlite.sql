BEGIN TRANSACTION;
CREATE TABLE blobs (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT, fault TEXT,
        PRIMARY KEY (epoch, key));
INSERT INTO "blobs" VALUES(1,'D1597B88ED09C346BF399C21F9909485E849B82277E5767DD7F0687415CE7FDF','image/png',1712,'5d64ec7436127e8dd74cc65e14714a48',3373598520000000,'civitai-1',NULL,'{"jobId":"9fdafd03-fbc2-4b10-9964-a0fd9976253f"}',NULL);
INSERT INTO "blobs" VALUES(1,'6070857CD87F2280E4EFFF4F217B6F9454B12DFC020137B2FEAC14E780148707','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"9fdafd03-fbc2-4b10-9964-a0fd9976253f","node":"SaveImage","index":1,"content":"blank"}','{"jobId":"9fdafd03-fbc2-4b10-9964-a0fd9976253f"}',NULL);
INSERT INTO "blobs" VALUES(1,'86F81FB3D38B0FCB26FAB1C7A4F28B5FF16A4DD3F3A405A7526B21EBDE366C70','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"61e87251-b8b1-455d-af4b-65088ba36986","node":"SaveImage","index":0,"content":"blank"}','{"jobId":"61e87251-b8b1-455d-af4b-65088ba36986"}',NULL);
INSERT INTO "blobs" VALUES(1,'f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg','image/jpeg',0,'',3376190523000000,'civitai-1','{"painter":1,"job":"f172e0a0-1a45-526b-99ac-0ce48d75e717","node":"SaveImage","index":0,"content":"blank","file":{"format":"jpeg","quality":85,"is_lossless":false,"has_metadata":true,"note":null}}','{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}',NULL);
CREATE TABLE counters (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (epoch, key)) WITHOUT ROWID
    ;
INSERT INTO "counters" VALUES(1,'journals',3);
CREATE TABLE ended_epochs (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0, moved_by TEXT, polls INTEGER NOT NULL DEFAULT 0,
        callback_attempts TEXT, faults TEXT, callback_faults TEXT, UNIQUE (epoch, id));
INSERT INTO "jobs" VALUES(1,1,'9fdafd03-fbc2-4b10-9964-a0fd9976253f','TextToImageV2','civitai-1','192ba7cd-c0cf-4b13-9f65-7d01d023f7ad',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'29baacab-6f20-4564-8128-c424b6794c8c',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(2,1,'61e87251-b8b1-455d-af4b-65088ba36986','Comfy','civitai-1','18300843-4eeb-4410-8df9-1a1c4a80c84a',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"SaveImage_0.png"]]',4,3373512121000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'dfb5b814-1f78-430e-9fd8-18939c3c088b',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(3,1,'a6a897fa-7943-4755-86a6-8305f4938a13','WDTagging','civitai-1','5b5d95cc-466c-4a65-be68-17c48d7a9eae',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(4,1,'f172e0a0-1a45-526b-99ac-0ce48d75e717','TextToImageV2','civitai-1','f40a0527-0a28-5f9f-953b-974046aac3f4',2.56000000000000049737e+00,0,-10,3373512123000000,3373598523000000,3376190523000000,'[["f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg",7,true,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}]]',4,3373512123000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'fc8bac52-5978-422c-8f7c-297f87bc4226',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(5,1,'f11caf53-588f-4540-8515-b137d359d7d0','TextToImageV2','civitai-1','af78aa8a-c9fa-4d70-ae3b-92c9dfa2dca3',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,3373512124000000,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(6,1,'a405e7e4-ac63-4806-bf67-fee17f0501b5','TextToImageV2','civitai-1','9e34fe05-66d2-4cb1-aca0-fa39a0a3fb00',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(7,1,'9f91347d-e1a7-4ba4-a64c-357783d332de','TextToImageV2','civitai-1','9e34fe05-66d2-4cb1-aca0-fa39a0a3fb00',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(8,1,'a3971061-ea44-42e5-a402-a8bc6316fdd4','TextToImageV2','civitai-1','7506ca1e-59ce-463d-beaa-18b5486f79de',0.002,1,0,3373512125000000,3373598525000000,3373598525000000,'[[null,7,false]]',1,3373512125000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(9,1,'d0dff223-d73d-51f9-9063-b750c77656da','TextToImageV2','civitai-1','42b07c8c-e08c-5d1d-9d35-d2aa55decc9e',2.56000000000000049737e+00,0,-10,3373512126000000,3373598526000000,3376190526000000,'[["d0dff223-d73d-51f9-9063-b750c77656da-0.jpg",7,false,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"d0dff223-d73d-51f9-9063-b750c77656da","workflowId":"1-20761125064206000"}]]',0,3373512126000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
CREATE TABLE "jobs announcements" (
        workflow INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (workflow, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs announcements" VALUES(1,0,3373512123000000,'[0,"workflow","","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,1,3373512123000000,'[0,"step","$0","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,2,3373512123000000,'[0,"workflow","","processing"]');
INSERT INTO "jobs announcements" VALUES(1,3,3373512123000000,'[0,"step","$0","processing"]');
INSERT INTO "jobs announcements" VALUES(1,4,3373512123000000,'[0,"step","$0","succeeded"]');
INSERT INTO "jobs announcements" VALUES(1,5,3373512123000000,'[0,"workflow","","succeeded"]');
CREATE TABLE "jobs deliveries" (
        workflow INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, last INTEGER NOT NULL, due_at INTEGER,
        told INTEGER NOT NULL DEFAULT -1, failures INTEGER NOT NULL DEFAULT 0, attempts TEXT, faults TEXT);
INSERT INTO "jobs deliveries" VALUES(1,1,5,3373512123784054,-1,1,'[[0,3373512123000000,null,"connection refused: nothing listens at this port"]]',NULL);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, position INTEGER,
        PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,0,X'',1795736570426906);
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3DE643500361B4010ADE9609A9A9A6892669494626A096C7750D25425D2028ADB2615A0A60C192D545D43BC4DD441E27C52DA564696498989C9C09463966664A00B4C3226BA16C0BA4337D9C4C824C9CCDCD224D92219BDFD85ABF985B399030C36503B0777E394A880533230D0353430324A31304B363030344FB3344F31B6484C494CB54C3348494B4B4A4931D73534B430374E4AB3304806E68BD4240B5D03036072A64273164F920135E0685FC12337EC0C0C0D4C4D4175BC017AE38ED675BC9909B0B08057F1601E4A0D6F44A86AA5A8624D5448CB07167B28B52BC1461D55ABF64485947C605D489A0B06B04E07D5D9B0AA1C145954ADC951827EB4F626A3F6B64C4B494C4B3130D64D4B4A36D235493234D0B5B40496C1890669299696E66646A6C669A4D5DEC038A656671296D7B0F41641C36198BD459028D10D3D72DAC7882E3E31E306D4ACDB908616405D7DD0D0829999A1194C1824867F24815E830D846A48A55A606D585A9C5AE409F48239709C22311D386011AD54A1145B0B00',1795736570451678);
INSERT INTO "jobs jobEvent" VALUES(2,0,X'',1795736570455370);
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE9609A9A9A6892669494626A096C7750D25425D202C26D137075AB44562B54D7106F33948E4E24A58D949296649A646168A26B98666EA16B626C90AA6B999662A16B6861696C996C9C6C60619184D18E22B589090C1A507B05772393A8C0513230D0354AB24C033AC93439D1C0C4DCD4D8D434D9C8C0D23C293131293505E86E735D630333F3A464CB4483A46413B3B4A4345D030360B224A6598A3FEA418DAD1151199B99007335BC2E06F3E85815272AE4805A0119F9A5C5A90AF9C046B442A202B08556945BA9509C9AA89058A2900792D751C8CFCC51284804169BE03E356AB589D9E4C356AE53B5E64ECA292D2AAAD451C8C92F572804F6B7334B2AC973D5F0AFC6511AD3A35537195577B245A2B90170704E3735C9D050D7C43CC95837D13CD15237D9D8DCC23CD9CC34D930D594B4AA1B987FA8D59304F52BF591BB1516C012DA421FD8AB3045EB56801B8BA3FD498CC63C623C8298410E6A56E048E320A07109C4380864140224867FD8835E2323849A014AB55CD5B500',1795736570459769);
INSERT INTO "jobs jobEvent" VALUES(3,0,X'',1795736570470395);
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE9609A9A9A6892669494626A096C7750D25425D202C26D93729790C4F474603B1DD265C3D9A8A48985A03A1D77438C282B950C0C748D4DCC8D80216B6A6C6A9A94649296960CECD0A5599A251B1803E33629C954D72CD138C9C0D21058D49B269A1A2627E91A1800A38E98A61B2278501A2A846C54AAE5AAAE0500',1795736570472022);
INSERT INTO "jobs jobEvent" VALUES(4,0,X'',1795736571637541);
INSERT INTO "jobs jobEvent" VALUES(4,4,X'C3DE643500361B4010ADE9609A9A9A6892669494626A096C7750D25425D2028ADB2615A0A60C192D545D43BC4DD441E27C52DA5669C9164989C9A646BAA696E616BA264646C9C0E4639EAC6B64699E66619E940C1431436F7F1991DA3405061BA89D83BB714A54C0291918E81A99A559249B251A271A1A191AA61A26035B7746C6066666A62949C6966606A9BA46164916664031CB44CB4463A314735D03036072A64273164F920135E0685FC12337EC0C0C0D4C4D4175BC017AE38ED675BCA1819109B0B88057F2503E1D6BF94485B47C60D1477E0D3B2CAB7AA22A7850053E5AAF0F8D7A3DCDD0DC28D520D140D730D1C454D7D4C82C49D7D2323159D72039D5C422C5DC34D5DCD09CD47A7DA02A062CFD72333343B381EE9713AA4C946AB9AA6B01',1795736571730896);
INSERT INTO "jobs jobEvent" VALUES(5,0,X'',1795736571963702);
INSERT INTO "jobs jobEvent" VALUES(6,0,X'',1795736571973145);
INSERT INTO "jobs jobEvent" VALUES(7,0,X'',1795736571973185);
INSERT INTO "jobs jobEvent" VALUES(8,0,X'',1795736571974830);
INSERT INTO "jobs jobEvent" VALUES(8,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A06B9C949C9894626C696298686268646A9C9694966A62646A6A66666A9A926C6CA89B9864620054606898626C669A6264A86B6000B4A6BA168800',1795736571976889);
INSERT INTO "jobs jobEvent" VALUES(9,0,X'',1795736571978731);
CREATE TABLE "jobs leaves" (
        epoch INTEGER NOT NULL, leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL,
        job TEXT NOT NULL, PRIMARY KEY (epoch, leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES(1,'03517b531670bfdaabdc65f7eeed1317',3373512120000000,'192ba7cd-c0cf-4b13-9f65-7d01d023f7ad','9fdafd03-fbc2-4b10-9964-a0fd9976253f');
INSERT INTO "jobs leaves" VALUES(1,'15a8ce87375302c4cb9de8a869247ddf',3373512120000000,'192ba7cd-c0cf-4b13-9f65-7d01d023f7ad','9fdafd03-fbc2-4b10-9964-a0fd9976253f');
CREATE TABLE "jobs places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs places" VALUES(1,4);
INSERT INTO "jobs places" VALUES(2,9);
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-1022d06c0017f97d38adae9f0dffbdd7-11873bf80c123eb8-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7,"tags":["x"]},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-2b9f0885ca0475355c2097baabed9fd7-3067bc9a0bc46fbf-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"CheckpointLoaderSimple":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd1/civitai/4384/128713.safetensors"},"_meta":{}},"EmptyLatentImage":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1},"_meta":{}},"CLIPTextEncode":{"class_type":"CLIPTextEncode","inputs":{"text":"a lighthouse over a stormy sea at night, oil painting","clip":["CLIPSetLastLayer",0]},"_meta":{}},"CLIPTextEncode_1":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry, low quality","clip":["CLIPSetLastLayer",0]},"_meta":{}},"KSampler":{"class_type":"KSampler","inputs":{"sampler_name":"euler_ancestral","scheduler":"normal","seed":1234567890,"steps":20,"cfg":7,"denoise":1,"latent_image":["EmptyLatentImage",0],"model":["LoraLoader",0],"positive":["CLIPTextEncode",0],"negative":["CLIPTextEncode_1",0]},"_meta":{}},"VAEDecode":{"class_type":"VAEDecode","inputs":{"samples":["KSampler",0],"vae":["CheckpointLoaderSimple",2]},"_meta":{}},"SaveImage":{"class_type":"SaveImage","inputs":{"filename_prefix":"c8a70639-eb11-47b3-a7a9-c3787c65c1e5","images":["VAEDecode",0]},"_meta":{}},"LoraLoader":{"class_type":"LoraLoader","inputs":{"lora_name":"lora/sd1/civitai/82098/87153.safetensors","strength_model":0.8,"strength_clip":0.8,"model":["CheckpointLoaderSimple",0],"clip":["CheckpointLoaderSimple",1]},"_meta":{}},"CLIPSetLastLayer":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["LoraLoader",1]},"_meta":{}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-3472eea5355bb4ffc186f96c03234bb5-6a3b0911285a51cb-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-26f8c6a3a1211e1c034230665db3960e-28b864239a9a32d7-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064203000",0,0,0]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-10136813d9dcaabe809f77fea3df2875-24741a46f92e70a1-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook?jobId=1"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-d629d639758c766d7a831dc2dadf567e-31ed90fa4f07c7d6-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-d629d639758c766d7a831dc2dadf567e-31ed90fa4f07c7d6-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["a405e7e4-ac63-4806-bf67-fee17f0501b5"]}');
INSERT INTO "jobs requests" VALUES(8,'{"trace_id":"00-3bcabd3941a41253fbfe42556655dc31-ab40bd311d365d21-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(9,'{"trace_id":"00-9cd47607d4f080f518ca5e11b8731c54-aa0a2295fc5390fd-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064206000",0,0,0]}');
CREATE TABLE "jobs tags" (
        epoch INTEGER NOT NULL, owner TEXT NOT NULL, tag TEXT NOT NULL, born INTEGER NOT NULL,
        workflow TEXT NOT NULL, PRIMARY KEY (epoch, owner, tag, born, workflow)) WITHOUT ROWID
    ;
INSERT INTO "jobs tags" VALUES(1,'civitai-1','a',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512126000000,'1-20761125064206000');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE "jobs workflows" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, external_id TEXT,
        created_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, version INTEGER NOT NULL,
        is_over INTEGER NOT NULL, is_listed INTEGER NOT NULL, has_failed INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
        blue INTEGER NOT NULL, green INTEGER NOT NULL, yellow INTEGER NOT NULL, fake_red INTEGER NOT NULL,
        search TEXT, body TEXT NOT NULL, UNIQUE (epoch, id));
INSERT INTO "jobs workflows" VALUES(1,1,'1-20761125064203000','civitai-1','one',3373512123000000,3376104123000000,3,1,1,0,0,8,0,0,0,'who
a fox','{"id":"1-20761125064203000","owner":"civitai-1","trace_id":"00-26f8c6a3a1211e1c034230665db3960e-28b864239a9a32d7-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:03+00:00","keep_until":"2076-12-25T06:42:03+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":1682306279,"jobs":["f172e0a0-1a45-526b-99ac-0ce48d75e717"],"ready_at":"2076-11-25T06:42:03+00:00"}],"callbacks":[["http://127.0.0.1:9/hook?workflow=1",["workflow:*","step:*"],false]],"external_id":"one","tags":["a","b"],"metadata":{"who":"a fox"},"allow_mature_content":false,"transactions":[["debit",8,"blue","3bd4e4d4-f358-5997-8be8-9e1d7baa093f"]],"memo":["succeeded","2076-11-25T06:42:03+00:00","2076-11-25T06:42:03+00:00","pg",[]]}');
INSERT INTO "jobs workflows" VALUES(2,1,'1-20761125064206000','civitai-1','two',3373512126000000,3376104126000000,2,0,1,0,0,8,0,0,0,NULL,'{"id":"1-20761125064206000","owner":"civitai-1","trace_id":"00-9cd47607d4f080f518ca5e11b8731c54-aa0a2295fc5390fd-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:06+00:00","keep_until":"2076-12-25T06:42:06+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":3167082511,"jobs":["d0dff223-d73d-51f9-9063-b750c77656da"],"ready_at":"2076-11-25T06:42:06+00:00"}],"external_id":"two","tags":["b"],"allow_mature_content":false,"transactions":[["debit",8,"blue","b7c05d46-c694-5cef-b462-ce94063d1c66"]]}');
CREATE TABLE leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE namespaces (
        name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, changed INTEGER NOT NULL, used_at INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID
    ;
INSERT INTO "namespaces" VALUES('',0,0,0,0,'{}');
INSERT INTO "namespaces" VALUES('default',1,0,0,0,'{}');
CREATE TABLE processes (
        id TEXT PRIMARY KEY, revision INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE "resources" (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        identity TEXT NOT NULL, search TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (epoch, key));
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','@civitai/128713','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','@civitai/130072','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','@civitai/87153','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','@civitai/9208','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','@civitai/311162','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','@civitai/128078','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','@civitai/135867','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','@civitai/290640','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','@civitai/889818','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','@civitai/1116447','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','@civitai/691639','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','@civitai/937698','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'04880A19535A414EC10CF546FB9F37DB326FF39BFF2C20DA04F210941E023A0F');
CREATE INDEX "jobs to claim" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by IS NOT 'REQUESTS'
    ;
CREATE INDEX "jobs to claim by time" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by = 'TIME'
    ;
CREATE INDEX "jobs by worker" ON "jobs" (epoch, worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (epoch, lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (epoch, expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (epoch, id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (epoch, created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs"
    (epoch, issued_by, created_at, submission_id, id, type)
    ;
CREATE INDEX "jobs by charge" ON "jobs" (epoch, issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by kept charge" ON "jobs" (epoch, issued_by, cost) WHERE charged = 2;
CREATE INDEX "jobs by end" ON "jobs" (epoch, changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (epoch, callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (epoch, keep_until);
CREATE UNIQUE INDEX "jobs jobEvent by position" ON "jobs jobEvent" (position)
    WHERE position IS NOT NULL
    ;
CREATE UNIQUE INDEX "jobs workflows by external id" ON "jobs workflows"
    (epoch, owner, external_id) WHERE external_id IS NOT NULL
    ;
CREATE INDEX "jobs workflows by age" ON "jobs workflows"
    (epoch, owner, created_at, id, has_failed) WHERE is_listed = 1
    ;
CREATE INDEX "jobs workflows that run" ON "jobs workflows" (epoch, id)
    WHERE is_over = 0 AND is_deleted = 0
    ;
CREATE INDEX "jobs workflows by charge" ON "jobs workflows"
    (epoch, owner, blue, green, yellow, fake_red)
    ;
CREATE INDEX "jobs workflows to sweep" ON "jobs workflows" (epoch, keep_until);
CREATE INDEX "jobs to announce" ON "jobs deliveries" (epoch, due_at)
    WHERE due_at IS NOT NULL
    ;
CREATE INDEX "resources by version" ON "resources" (epoch, source, version, key);
CREATE INDEX "resources by model" ON "resources" (epoch, source, id, key);
CREATE INDEX "resources by identity" ON "resources" (epoch, identity);
CREATE INDEX [blobs to sweep] ON blobs (epoch, keep_until);
CREATE INDEX [namespaces by change] ON namespaces (changed);
CREATE INDEX [namespaces by use] ON namespaces (used_at) WHERE is_deleted = 0;
CREATE INDEX [namespaces that are deleted] ON namespaces (changed) WHERE is_deleted = 1;
CREATE INDEX [leases by end] ON leases (until);
COMMIT;
PRAGMA user_version = 12;
